// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "neuroc/rt/Npy.h"
#include "neuroc/rt/Container.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <random>

using namespace neuroc::rt;

static std::string npy(const std::string &dictionary, const std::string &data,
                       char major = 1) {
  std::string header = dictionary + "\n";
  std::string out = "\x93NUMPY";
  out += major;
  out += '\0';
  out += char(header.size());
  out += char(header.size() >> 8);
  if (major > 1)
    out += std::string(2, '\0');
  return out + header + data;
}

static void expectRefused(const std::string &bytes, const std::string &words) {
  Array array;
  Status status = readNpy(bytes, "a.npy", array);
  ASSERT_FALSE(status.isOk()) << words;
  EXPECT_NE(status.message().find(words), std::string::npos)
      << status.message();
}

TEST(Npy, RoundTripOfEveryType) {
  Array array;
  array.shape = {2, 3};
  array.values = {0, 1, 2, 3, 4, 250};
  for (NpyType type : {NpyType::Float64, NpyType::Float32, NpyType::UInt32,
                       NpyType::UInt64, NpyType::Int64}) {
    std::string bytes = writeNpy(array, type);
    Array back;
    Status status = readNpy(bytes, "a.npy", back);
    ASSERT_TRUE(status.isOk()) << status.message();
    EXPECT_EQ(back.shape, array.shape);
    EXPECT_EQ(back.values, array.values);
    EXPECT_EQ(bytes.find('\n') % 64, 63u); // data starts at a multiple of 64
  }
}

TEST(Npy, ScalarsVectorsAndEmptyArrays) {
  for (std::vector<int64_t> shape :
       {std::vector<int64_t>{}, {1}, {5}, {0, 7}, {2, 0, 3}}) {
    Array array, back;
    array.shape = shape;
    int64_t n = 1;
    for (int64_t extent : shape)
      n *= extent;
    array.values.assign(size_t(n), 1.5);
    Status status = readNpy(writeNpy(array), "a", back);
    ASSERT_TRUE(status.isOk()) << status.message();
    EXPECT_EQ(back.shape, shape);
    EXPECT_EQ(back.values, array.values);
  }
}

TEST(Npy, ReadsSmallTypes) {
  Array a;
  ASSERT_TRUE(readNpy(npy("{'descr': '|b1', 'fortran_order': False, 'shape': "
                          "(3,), }",
                          std::string("\1\0\1", 3)),
                      "a", a)
                  .isOk());
  EXPECT_EQ(a.values, (std::vector<double>{1, 0, 1}));
  ASSERT_TRUE(readNpy(npy("{'descr': '<i2', 'fortran_order': False, 'shape': "
                          "(2,)}",
                          std::string("\xff\xff\x00\x01", 4)),
                      "a", a)
                  .isOk());
  EXPECT_EQ(a.values, (std::vector<double>{-1, 256}));
  // Half precision: 1.0, -2.0, the smallest subnormal, infinity.
  ASSERT_TRUE(readNpy(npy("{'descr': '<f2', 'fortran_order': False, 'shape': "
                          "(4,)}",
                          std::string("\x00\x3c\x00\xc0\x01\x00\x00\x7c", 8)),
                      "a", a)
                  .isOk());
  EXPECT_EQ(a.values[0], 1);
  EXPECT_EQ(a.values[1], -2);
  EXPECT_EQ(a.values[2], std::ldexp(1, -24));
  EXPECT_TRUE(std::isinf(a.values[3]));
}

TEST(Npy, FortranOrderBecomesRowMajor) {
  Array a;
  ASSERT_TRUE(readNpy(npy("{'descr': '|u1', 'fortran_order': True, 'shape': "
                          "(2, 3), }",
                          "\1\4\2\5\3\6"),
                      "a", a)
                  .isOk());
  EXPECT_EQ(a.values, (std::vector<double>{1, 2, 3, 4, 5, 6}));
}

TEST(Npy, Version2Header) {
  Array a;
  EXPECT_TRUE(readNpy(npy("{'descr': '|u1', 'fortran_order': False, 'shape': "
                          "(1,), }",
                          "\7", 2),
                      "a", a)
                  .isOk());
}

TEST(Npy, Refusals) {
  expectRefused("", "signature is missing");
  expectRefused(npy("{}", "", 9), "version 9 is not known");
  expectRefused(std::string("\x93NUMPY\x01\0\xff\xff{}", 12),
                "header leaves the file");
  expectRefused(npy("{'descr': '<f8'}", ""), "header is malformed");
  expectRefused(npy("{'descr': '<f8', 'descr': '<f8', 'shape': ()}", ""),
                "header is malformed");
  expectRefused(
      npy("{'descr': '>f8', 'fortran_order': False, 'shape': (1,)}", ""),
      "element type '>f8' is not supported");
  expectRefused(
      npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,)}", ""),
      "is not supported");
  expectRefused(npy("{'descr': '<f8', 'fortran_order': False, 'shape': "
                    "(4294967296, 4294967296)}",
                    "12345678"),
                "asks for more values");
  expectRefused(
      npy("{'descr': '<f8', 'fortran_order': False, 'shape': (-1,)}", ""),
      "header is malformed");
  expectRefused(npy("{'descr': '|u1', 'fortran_order': False, 'shape': (2,)}",
                    "abc"),
                "expected 2 bytes of values, found 3");
}

TEST(Npy, FuzzNeverCrashes) {
  std::mt19937 random(99);
  Array array, back;
  array.shape = {3, 2};
  array.values = {1, 2, 3, 4, 5, 6};
  std::string good = writeNpy(array);
  for (int round = 0; round < 20000; ++round) {
    std::string bytes = good;
    for (unsigned n = 1 + random() % 4; n; --n)
      bytes[random() % bytes.size()] = char(random());
    if (random() % 4 == 0)
      bytes.resize(random() % bytes.size());
    (void)readNpy(bytes, "fuzz", back).isOk();
  }
}

TEST(ArrayFile, TextAndRefusals) {
  std::string path = testing::TempDir() + "npy-test.csv";
  ASSERT_TRUE(
      writeFileAtomically(path, "# x, y\n1, 2.5\n\n-3;+4e1 # end\n").isOk());
  Array a;
  Status status = readArrayFile(path, a);
  ASSERT_TRUE(status.isOk()) << status.message();
  EXPECT_EQ(a.shape, (std::vector<int64_t>{2, 2}));
  EXPECT_EQ(a.values, (std::vector<double>{1, 2.5, -3, 40}));
  ASSERT_TRUE(writeFileAtomically(path, "1,2\n3\n").isOk());
  EXPECT_NE(readArrayFile(path, a).message().find(":2: expected 2 numbers, found 1"),
            std::string::npos);
  ASSERT_TRUE(writeFileAtomically(path, "1,two\n").isOk());
  EXPECT_NE(readArrayFile(path, a).message().find("found 'two'"),
            std::string::npos);
  ASSERT_TRUE(writeFileAtomically(path, "#\n").isOk());
  EXPECT_NE(readArrayFile(path, a).message().find("has no numbers"),
            std::string::npos);
  std::filesystem::remove(path);
  std::string other = testing::TempDir() + "npy-test.bin";
  ASSERT_TRUE(writeFileAtomically(other, "x").isOk());
  EXPECT_EQ(readArrayFile(other, a).code(), Code::UsageError);
  std::filesystem::remove(other);
}
