# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# The project's CMake helpers: neuroc_add_runtime_library, neuroc_add_dialect,
# neuroc_add_library, neuroc_add_tool, neuroc_add_unittest, and the search for
# MLIR. Folder files stay lists of names.

find_program(NEUROC_CCACHE ccache)
if(NEUROC_CCACHE)
  set(CMAKE_C_COMPILER_LAUNCHER ${NEUROC_CCACHE})
  # Precompiled headers carry time stamps that ccache must overlook.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
      ${NEUROC_CCACHE})
endif()
find_program(NEUROC_LLD NAMES ld.lld-22 ld.lld)
if(NEUROC_LLD)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    add_link_options(--ld-path=${NEUROC_LLD})
  endif()
endif()
add_compile_options(-Wall -Wextra -Wno-unused-parameter
  $<$<AND:$<COMPILE_LANGUAGE:CXX>,$<CXX_COMPILER_ID:Clang>>:-Xclang>
  $<$<AND:$<COMPILE_LANGUAGE:CXX>,$<CXX_COMPILER_ID:Clang>>:-fno-pch-timestamp>)

# Finds MLIR, LLVM and lld; says which Debian package is missing.
macro(neuroc_find_mlir)
  if(NOT DEFINED MLIR_DIR)
    find_program(NEUROC_LLVM_CONFIG NAMES llvm-config-22)
    if(NOT NEUROC_LLVM_CONFIG)
      message(FATAL_ERROR "llvm-config-22 not found: install llvm-22-dev, or "
        "use the preset runtime-only")
    endif()
    execute_process(COMMAND ${NEUROC_LLVM_CONFIG} --prefix
      OUTPUT_VARIABLE NEUROC_LLVM_PREFIX OUTPUT_STRIP_TRAILING_WHITESPACE)
    list(APPEND CMAKE_PREFIX_PATH ${NEUROC_LLVM_PREFIX})
  endif()
  find_package(MLIR 22.1 CONFIG QUIET)
  if(NOT MLIR_FOUND)
    message(FATAL_ERROR "MLIR 22.1 not found: install libmlir-22-dev and "
      "mlir-22-tools")
  endif()
  set(MLIR_LINK_MLIR_DYLIB ON)
  set(LLVM_LINK_LLVM_DYLIB ON)
  list(APPEND CMAKE_MODULE_PATH "${MLIR_CMAKE_DIR}" "${LLVM_CMAKE_DIR}")
  include(TableGen)
  include(AddLLVM)
  include(AddMLIR)
  separate_arguments(NEUROC_LLVM_DEFINITIONS UNIX_COMMAND "${LLVM_DEFINITIONS}")
  # One interface target that every compiler library links.
  add_library(NeurocMlir INTERFACE)
  target_include_directories(NeurocMlir SYSTEM INTERFACE
    ${LLVM_INCLUDE_DIRS} ${MLIR_INCLUDE_DIRS})
  target_include_directories(NeurocMlir INTERFACE
    ${PROJECT_SOURCE_DIR}/include ${PROJECT_BINARY_DIR}/include)
  target_compile_definitions(NeurocMlir INTERFACE ${NEUROC_LLVM_DEFINITIONS})
  target_compile_options(NeurocMlir INTERFACE
    $<$<COMPILE_LANGUAGE:CXX>:-Wno-unused-but-set-parameter>)
  target_link_libraries(NeurocMlir INTERFACE MLIR LLVM)
  # Precompiled headers, shared by all libraries without exceptions.
  file(WRITE ${PROJECT_BINARY_DIR}/pch/NeurocPch.cpp
    "// Carrier of the shared precompiled header.\n")
  add_library(NeurocPch OBJECT ${PROJECT_BINARY_DIR}/pch/NeurocPch.cpp)
  target_link_libraries(NeurocPch PUBLIC NeurocMlir)
  target_compile_options(NeurocPch PRIVATE -fno-exceptions)
  target_precompile_headers(NeurocPch PRIVATE
    <mlir/Dialect/Arith/IR/Arith.h> <mlir/Dialect/Math/IR/Math.h>
    <mlir/Dialect/Func/IR/FuncOps.h> <mlir/Dialect/Tensor/IR/Tensor.h>
    <mlir/Dialect/Linalg/IR/Linalg.h> <mlir/IR/BuiltinOps.h>
    <mlir/IR/BuiltinTypes.h> <mlir/IR/BuiltinAttributes.h>
    <mlir/IR/Builders.h> <mlir/IR/PatternMatch.h> <mlir/Pass/Pass.h>
    <mlir/Pass/PassManager.h> <mlir/IR/SymbolTable.h>
    <mlir/Bytecode/BytecodeOpInterface.h> <llvm/Support/JSON.h>
    <map> <string> <vector> <memory> <optional> <functional>)
endmacro()

# neuroc_add_runtime_library(NAME sources... [LIBS libs...] [PUBLIC_LIBS ...])
# A library of runtime/: sees runtime/include and nothing of the compiler.
function(neuroc_add_runtime_library name)
  cmake_parse_arguments(ARG "" "" "LIBS" ${ARGN})
  add_library(${name} STATIC ${ARG_UNPARSED_ARGUMENTS})
  add_library(neuroc::${name} ALIAS ${name})
  target_include_directories(${name} PUBLIC
    ${PROJECT_SOURCE_DIR}/runtime/include)
  target_link_libraries(${name} PUBLIC ${ARG_LIBS})
endfunction()

# neuroc_add_library(NAME sources... [LIBS libs...] [EXCEPTIONS])
# A library of the compiler (lib/ or dialects/). EXCEPTIONS switches C++
# exceptions on for libraries that wrap a throwing dependency.
function(neuroc_add_library name)
  cmake_parse_arguments(ARG "EXCEPTIONS" "" "LIBS" ${ARGN})
  add_library(${name} STATIC ${ARG_UNPARSED_ARGUMENTS})
  add_library(neuroc::${name} ALIAS ${name})
  target_include_directories(${name} PUBLIC
    ${PROJECT_SOURCE_DIR}/runtime/include)
  target_link_libraries(${name} PUBLIC NeurocMlir ${ARG_LIBS})
  if(NOT ARG_EXCEPTIONS)
    target_compile_options(${name} PRIVATE $<$<COMPILE_LANGUAGE:CXX>:-fno-exceptions>)
    target_precompile_headers(${name} REUSE_FROM NeurocPch)
  endif()
  foreach(generated IN LISTS NEUROC_TABLEGEN_TARGETS)
    add_dependencies(${name} ${generated})
  endforeach()
endfunction()

# neuroc_add_dialect(Neuro neuro): runs TableGen on
# include/neuroc/<Name>/<Name>{Ops,Passes}.td of the calling folder. Generated
# files land in <build>/include/neuroc/<Name>/. The Ops file includes dialect,
# types, attributes and interfaces.
function(neuroc_add_dialect Name name)
  set(source ${CMAKE_CURRENT_SOURCE_DIR}/include/neuroc/${Name})
  set(binary ${PROJECT_BINARY_DIR}/include/neuroc/${Name})
  file(MAKE_DIRECTORY ${binary})
  target_include_directories(NeurocMlir INTERFACE
    ${CMAKE_CURRENT_SOURCE_DIR}/include)
  set(outputs)
  set(flags -I ${source} -I ${CMAKE_CURRENT_SOURCE_DIR}/include
    -I ${PROJECT_SOURCE_DIR}/include)
  foreach(dir IN LISTS MLIR_INCLUDE_DIRS NEUROC_DIALECT_INCLUDES)
    list(APPEND flags -I ${dir})
  endforeach()
  file(GLOB tds CONFIGURE_DEPENDS ${source}/*.td)
  macro(neuroc_tblgen input output)
    add_custom_command(OUTPUT ${binary}/${output}
      COMMAND ${MLIR_TABLEGEN_EXE} ${ARGN} ${flags} ${source}/${input}
        -o ${binary}/${output}
      DEPENDS ${tds})
    list(APPEND outputs ${binary}/${output})
  endmacro()
  neuroc_tblgen(${Name}Ops.td ${Name}Ops.h.inc -gen-op-decls)
  neuroc_tblgen(${Name}Ops.td ${Name}Ops.cpp.inc -gen-op-defs)
  neuroc_tblgen(${Name}Ops.td ${Name}Dialect.h.inc -gen-dialect-decls -dialect=${name})
  neuroc_tblgen(${Name}Ops.td ${Name}Dialect.cpp.inc -gen-dialect-defs -dialect=${name})
  neuroc_tblgen(${Name}Ops.td ${Name}Types.h.inc -gen-typedef-decls -typedefs-dialect=${name})
  neuroc_tblgen(${Name}Ops.td ${Name}Types.cpp.inc -gen-typedef-defs -typedefs-dialect=${name})
  neuroc_tblgen(${Name}Ops.td ${Name}Attributes.h.inc -gen-attrdef-decls -attrdefs-dialect=${name})
  neuroc_tblgen(${Name}Ops.td ${Name}Attributes.cpp.inc -gen-attrdef-defs -attrdefs-dialect=${name})
  neuroc_tblgen(${Name}Ops.td ${Name}Enums.h.inc -gen-enum-decls)
  neuroc_tblgen(${Name}Ops.td ${Name}Enums.cpp.inc -gen-enum-defs)
  if(EXISTS ${source}/${Name}Passes.td)
    neuroc_tblgen(${Name}Passes.td ${Name}Passes.h.inc -gen-pass-decls -name=${Name})
    set(passdoc COMMAND ${MLIR_TABLEGEN_EXE} -gen-pass-doc ${flags}
      ${source}/${Name}Passes.td -o ${PROJECT_BINARY_DIR}/docs/${Name}Passes.md)
  endif()
  add_custom_target(Neuroc${Name}Generated DEPENDS ${outputs})
  file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/docs)
  add_custom_target(Neuroc${Name}Doc
    COMMAND ${MLIR_TABLEGEN_EXE} -gen-dialect-doc -dialect=${name} ${flags}
      ${source}/${Name}Ops.td -o ${PROJECT_BINARY_DIR}/docs/${Name}Dialect.md
    ${passdoc} DEPENDS ${tds})
  set(NEUROC_TABLEGEN_TARGETS ${NEUROC_TABLEGEN_TARGETS}
    Neuroc${Name}Generated CACHE INTERNAL "")
endfunction()
set(NEUROC_TABLEGEN_TARGETS "" CACHE INTERNAL "")

# neuroc_add_tool(name sources... [LIBS libs...])
function(neuroc_add_tool name)
  cmake_parse_arguments(ARG "" "" "LIBS" ${ARGN})
  add_executable(${name} ${ARG_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PRIVATE NeurocMlir ${ARG_LIBS})
  target_compile_options(${name} PRIVATE -fno-exceptions)
  install(TARGETS ${name} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endfunction()

# neuroc_add_unittest(Name sources... [LIBS libs...]): a GoogleTest program that
# CTest runs. Links only what it is given, so runtime tests stay free of MLIR.
function(neuroc_add_unittest name)
  cmake_parse_arguments(ARG "" "" "LIBS" ${ARGN})
  find_package(GTest REQUIRED)
  add_executable(${name} ${ARG_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PRIVATE GTest::gtest GTest::gtest_main ${ARG_LIBS})
  set_property(GLOBAL APPEND PROPERTY NEUROC_UNITTESTS ${name})
  add_test(NAME unit.${name} COMMAND ${name})
endfunction()
