// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From syntax trees to the neuro dialect: resolves names, checks units, and
// emits models, rules, networks and experiments. One object per compilation.
#ifndef NEUROC_LIB_FRONTEND_LANG_ELABORATOR_H
#define NEUROC_LIB_FRONTEND_LANG_ELABORATOR_H

#include "Circuits.h"
#include "ConstEval.h"
#include "HostExpr.h"
#include "ScalarEmit.h"

#include "neuroc/Frontend/Lang/Lang.h"
#include "neuroc/Neuro/Neuro.h"

#include "mlir/IR/Builders.h"

#include <map>
#include <set>

namespace neuroc::lang {

enum class SymbolKind {
  Param, State, Input, Output, Trace, Factor, Weight, Pre, Post, Let
};

/// A name declared in a model or rule.
struct Symbol {
  SymbolKind kind = SymbolKind::State;
  Dim dim = {};
  bool hertz = false; ///< stored in Hz in the IR
  bool spike = false; ///< of an output
  std::string irName = {};
  const Decl *decl = nullptr;
  SMLoc loc = {};
};

/// A model or rule whose declarations have been checked.
struct Checked {
  const ModelDecl *model = nullptr;
  const RuleDecl *rule = nullptr;
  std::map<std::string, Symbol> symbols;
  std::vector<std::string> outputs; ///< in order
  bool ok = true;
  bool emitted = false;
  std::string irName; ///< of the operation; "": that of the declaration
  LocalFunctions functions; ///< those of the declaration, or what replaces them
  std::vector<std::unique_ptr<FunctionDecl>> wrappers;
  /// Parameters on which code depends at compile time, and their values.
  std::set<std::string> structural;
  ConstEnv fixed;
  std::vector<std::string> names() const {
    std::vector<std::string> n;
    for (const auto &s : symbols)
      n.push_back(s.first);
    return n;
  }
  std::vector<std::string> names(SymbolKind kind) const {
    std::vector<std::string> n;
    for (const auto &s : symbols)
      if (s.second.kind == kind)
        n.push_back(s.first);
    return n;
  }
};

/// An output signal of a node of a network.
struct Signal {
  std::string name;
  mlir::Value value;
  Dim dim;
  bool spike = false;
  bool hertz = false;
};

struct Node {
  const Item *item = nullptr;
  std::string kind; ///< population, stimulus, …
  std::vector<int64_t> shape;
  Checked *model = nullptr;
  std::vector<Signal> outputs;
  std::vector<std::pair<std::string, mlir::Value>> inputs; ///< port, signal
  mlir::Operation *op = nullptr;
  const ConstEnv *env = nullptr; ///< constants that its statement sees
  ConstEnv overrides;            ///< values that a population binds
  /// Ports and signals of a scalar source's formula.
  std::vector<std::pair<std::string, ExprPtr>> formulaInputs;
  int64_t units() const {
    int64_t n = 1;
    for (int64_t s : shape)
      n *= s;
    return n;
  }
};

struct WeightInfo {
  neuro::WeightOp op;
  std::vector<int64_t> pre, post;
  Dim dim;
  bool anyUnit = false;
  SMLoc loc;
  /// The first straight projection through it, for plasticity.
  mlir::Value preSignal, postSignal;
  Dim preDim, postDim;
  int64_t delay = 0;
};

/// Everything known of a network once it is emitted.
struct NetworkInfo {
  std::unique_ptr<Expansion> expansion; ///< of its circuits and loops
  std::vector<Placed> items;            ///< its statements, expanded
  std::set<std::string> instances;      ///< of circuits
  std::map<std::string, Signal> delayed; ///< signals made by delayed(…)
  int64_t batch = 1;
  const NetworkDecl *decl = nullptr;
  neuro::NetworkOp op;
  double dt = 0;
  uint64_t seed = 1;
  ConstEnv constants;
  std::map<std::string, Node> nodes;
  std::map<std::string, WeightInfo> weights;
  std::set<std::string> plastics;
  std::map<std::string, std::vector<int64_t>> datasets; ///< shape
  std::map<std::string, std::string> probes; ///< "E.spike" -> symbol
  std::map<std::string, bool> probeSpikes;   ///< symbol -> records spikes
  std::map<std::string, SMLoc> declared;
};

class Elaborator {
public:
  Elaborator(Diag &diag, const LangOptions &options, mlir::ModuleOp module);

  /// Makes the declarations of a file known. `library` ones are emitted only
  /// when used, and give way to the user's.
  void add(const File &file, bool library);
  /// Emits everything; errors are in the Diag.
  void run();

  /// Finds a file that the program names; set by the caller.
  std::function<std::string(llvm::StringRef name, SMLoc loc)> findFile;

private:
  friend class CodeEmitter;
  friend class HostDomain;

  // Compile-time expressions.
  ConstResult evalConst(const Expr &e, const ConstEnv *env,
                        const Dim *want = nullptr, llvm::StringRef what = "",
                        const std::vector<int64_t> *unitShape = nullptr,
                        uint64_t seed = 1, llvm::StringRef stream = "");
  /// A plain number in `want`.
  std::optional<double> evalNumber(const Expr &e, const ConstEnv *env,
                                   const Dim &want, llvm::StringRef what);
  std::optional<int64_t> evalInteger(const Expr &e, const ConstEnv *env,
                                     llvm::StringRef what, int64_t least);
  std::optional<ConstResult> globalConstant(llvm::StringRef name);

  // Models and rules.
  Checked *findModel(const Ident &name);
  Checked *findRule(const Ident &name);
  Checked *checkModel(const ModelDecl &m);
  Checked *checkRule(const RuleDecl &r);
  void declare(Checked &c, const Ident &name, Symbol s);
  void checkDecl(Checked &c, const Decl &d, SymbolKind kind);
  void emitModel(Checked &c);
  void emitRule(Checked &c);
  /// Values of all parameters and initial states, `overrides` applied; those
  /// that cannot be computed are left out.
  ConstEnv parameterValues(const Checked &c, const ConstEnv &overrides,
                           bool report);
  mlir::DenseF64ArrayAttr rangeAttr(const Checked &c, const ExprPtr &lo,
                                    const ExprPtr &hi, const Symbol &s);

  // Networks.
  void emitNetwork(const NetworkDecl &n);
  void expandNetwork(NetworkInfo &net);
  void networkSetting(NetworkInfo &net, const Item &it, ConstEnv &env);
  const Expr *replacement(const std::string &name, const Expr *value,
                          ExprPtr &storage);
  void checkOverrides();
  void declareNode(NetworkInfo &net, const Item &it);
  /// True if `name` is an instance of a circuit, which is reported.
  bool isInstance(NetworkInfo &net, const Expr &name);
  bool declareScalar(NetworkInfo &net, Node &node, const Item &it);
  void connectScalar(NetworkInfo &net, Node &node, const Item &it);
  bool collectSignals(NetworkInfo &net, Node &node, ExprPtr &e);
  /// A model or rule with functions replaced and parameters fixed.
  Checked *variant(Checked &c, const std::map<std::string, Ident> &functions,
                   const ConstEnv &given, SMLoc loc);
  /// The function that `{ phi = NAME }` binds, checked; false after an error.
  bool bindFunction(const Checked &c, const Item &bind, const std::string &what,
                    std::map<std::string, Ident> &functions);
  void emitPopulation(NetworkInfo &net, Node &node, const Item &it);
  void emitSource(NetworkInfo &net, Node &node, const Item &it);
  void emitSugar(NetworkInfo &net, Node &node, const Item &it);
  void connectSugar(NetworkInfo &net, Node &node, const Item &it);
  WeightInfo *emitWeight(NetworkInfo &net, const Item &it,
                         const std::string &name, llvm::ArrayRef<int64_t> pre,
                         llvm::ArrayRef<int64_t> post, const Expr &values);
  mlir::Attribute connectorAttr(NetworkInfo &net, const Expr &e,
                                llvm::ArrayRef<int64_t> pre,
                                llvm::ArrayRef<int64_t> post);
  void emitWeightItem(NetworkInfo &net, const Item &it);
  void emitConnect(NetworkInfo &net, const Item &it);
  void emitTransmit(NetworkInfo &net, neuro::ProjectOp op, const Expr &e,
                    const WeightInfo &w, const Signal &from, Dim &result);
  void emitPlasticity(NetworkInfo &net, const Item &it);
  void emitDataset(NetworkInfo &net, const Item &it, const ConstEnv &env);
  void finishInputs(NetworkInfo &net);
  void checkRange(const Checked &c, const Symbol &s, const ConstTyped &v,
                  SMLoc loc);
  /// Fills the tables from a network that another front end has emitted.
  void adoptNetwork(NetworkInfo &net);
  bool declareName(NetworkInfo &net, const Ident &name);
  bool evalShape(NetworkInfo &net, const Item &it, std::vector<int64_t> &shape);
  /// The signal that a reference names; reports and returns null if none.
  const Signal *resolveSignal(NetworkInfo &net, const Expr &e,
                              Node **node = nullptr);
  /// The same, whether or not the signal has been emitted yet.
  const Signal *declaredSignal(NetworkInfo &net, const Expr &e, Node **node);
  /// delayed(signal, time), made once for each pair.
  const Signal *delayedSignal(NetworkInfo &net, const Expr &e, Node **node);
  std::optional<std::vector<int64_t>> sideShape(NetworkInfo &net,
                                                const Expr &e);
  mlir::StringAttr parameterOf(NetworkInfo &net, const Expr &e);
  /// Derivatives of the initial values of its population by a parameter.
  void initialDerivatives(NetworkInfo &net, const Expr &e);
  /// A copy of `e` in which references name symbols: `c.z.value` becomes the
  /// member `value` of the name "c.z", `h[k]` the name "h[1]".
  ExprPtr resolveReference(NetworkInfo &net, const ConstEnv *env,
                           const Expr &e);
  /// A copy of a step whose references (not those of its body) name symbols.
  ItemPtr resolveItem(NetworkInfo &net, const ConstEnv &env, const Item &it);
  std::optional<std::vector<ConstTyped>>
  loopValues(NetworkInfo &net, const Item &it, const ConstEnv *env);
  /// The probe or watch of a reference, made if there is none.
  std::string probeOf(NetworkInfo &net, const Expr &e, int64_t every = 1,
                      const Ident *as = nullptr, bool output = false,
                      const Expr *wrt = nullptr);
  std::optional<int64_t> ticks(NetworkInfo &net, const Expr &e,
                               const ConstEnv *env, llvm::StringRef what,
                               bool positive);
  mlir::Attribute valueAttr(const ConstTyped &v, bool hertz);
  mlir::Type signalType(llvm::ArrayRef<int64_t> shape, bool spike);
  std::vector<std::string> nodeNames(const NetworkInfo &net);

  // Experiments.
  void emitExperiment(const ExperimentDecl &e);
  void emitStep(NetworkInfo &net, ConstEnv &env, const Item &it, int loops);
  void emitSteps(NetworkInfo &net, ConstEnv &env,
                 const std::vector<ItemPtr> &items, mlir::Region &region,
                 int loops);
  void emitDataStep(NetworkInfo &net, ConstEnv &env, const Item &it, int loops);
  void emitReadout(NetworkInfo &net, ConstEnv &env, const Item &it);
  void emitExpect(NetworkInfo &net, ConstEnv &env, const Item &it);
  const Symbol *stateOf(NetworkInfo &net, const Expr &e, Node *&node);
  // What the host computes (EmitHost.cpp).
  bool isStatic(NetworkInfo &net, const ConstEnv &env, const Expr &e);
  std::optional<ExperimentState::Variable>
  hostValue(NetworkInfo &net, const ConstEnv &env, const Expr &e,
            mlir::Value &value, const Dim *want = nullptr,
            const std::string &what = "");
  mlir::Value hostCondition(NetworkInfo &net, const ConstEnv &env,
                            const Expr &e, const std::string &what,
                            bool negate);
  void storeVariable(const std::string &name, mlir::Value value,
                     const ExperimentState::Variable &info, SMLoc loc);
  void emitLet(NetworkInfo &net, ConstEnv &env, const Item &it);
  void emitSet(NetworkInfo &net, ConstEnv &env, const Item &it);
  void emitIf(NetworkInfo &net, ConstEnv &env, const Item &it, int loops);
  void emitWhile(NetworkInfo &net, ConstEnv &env, const Item &it, int loops);
  void emitForEach(NetworkInfo &net, ConstEnv &env, const Item &it, int loops);
  void emitForIn(NetworkInfo &net, ConstEnv &env, const Item &it, int loops);
  void emitStream(NetworkInfo &net, ConstEnv &env, const Item &it);
  void emitStore(NetworkInfo &net, ConstEnv &env, const Item &it);
  void emitTableRow(NetworkInfo &net, ConstEnv &env, const Item &it);
  void emitProcedure(NetworkInfo &net, ConstEnv &env, const Item &it,
                     int loops);
  void emitInPlace(NetworkInfo &net, ConstEnv &env,
                   const std::vector<ItemPtr> &items, int loops);
  std::vector<ItemPtr> expandProcedure(const Item &it, bool report);
  void collectAssigned(const std::vector<ItemPtr> &items, unsigned depth = 0);
  bool declareCounter(ConstEnv &env, const Clause *as,
                      mlir::StringAttr &counter);
  bool rowsClause(const Item &it, const ConstEnv &env,
                  const std::string &dataset, int64_t count,
                  mlir::DenseI64ArrayAttr &rows);
  const std::vector<int64_t> *datasetOf(NetworkInfo &net, const Expr &e);
  const Node *stimulusOf(NetworkInfo &net, const Expr &e);

  Diag &diag;
  const LangOptions &options;
  mlir::ModuleOp module;
  mlir::OpBuilder b;

  std::map<std::string, std::pair<const ModelDecl *, bool>> models;
  std::map<std::string, std::pair<const RuleDecl *, bool>> rules;
  std::map<std::string, std::unique_ptr<Checked>> checkedModels, checkedRules;
  FunctionMap functions;
  std::map<std::string, const CircuitDecl *> circuits;
  std::map<std::string, bool> circuitFromLibrary;
  std::map<std::string, std::unique_ptr<Checked>> variants;
  std::vector<std::unique_ptr<ModelDecl>> madeModels; ///< of scalar sources
  std::map<std::string, const Decl *> constants;
  std::map<std::string, ConstResult> constantValues;
  std::set<std::string> constantsInProgress;
  std::vector<const NetworkDecl *> networks;
  std::vector<const ExperimentDecl *> experiments;
  std::map<std::string, std::unique_ptr<NetworkInfo>> networkInfos;
  std::map<std::string, SMLoc> topLevel; ///< networks and experiments
  std::set<std::string> readouts;        ///< tables of the present experiment
  std::unique_ptr<ExperimentState> experimentState;
  bool batchedLoop = false; ///< the innermost loop takes rows for all lanes
  std::map<std::string, std::pair<const ProcedureDecl *, bool>> procedures;
  uint64_t networkSeed = 1;   ///< of the network that is worked on
  const LocalFunctions *localFunctions = nullptr; ///< of the model in hand
  bool missingValues = false; ///< data may hold NaN
  std::set<std::string> usedOverrides;   ///< of options.overrides
};

} // namespace neuroc::lang
#endif // NEUROC_LIB_FRONTEND_LANG_ELABORATOR_H
