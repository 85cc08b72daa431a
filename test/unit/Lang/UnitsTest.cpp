// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Units: scales, prefixes, products, names of products, suggestions.
#include "Units.h"

#include "gtest/gtest.h"

using namespace neuroc::lang;

namespace {
TEST(Units, ScalesToTheFixedUnits) {
  struct {
    const char *name;
    double scale;
    const char *shown;
  } cases[] = {{"ms", 1, "ms"},       {"s", 1e3, "ms"},     {"us", 1e-3, "ms"},
               {"mV", 1, "mV"},       {"V", 1e3, "mV"},     {"nA", 1, "nA"},
               {"pA", 1e-3, "nA"},    {"nF", 1, "nF"},      {"pF", 1e-3, "nF"},
               {"uF", 1e3, "nF"},     {"uS", 1, "uS"},      {"µS", 1, "uS"},
               {"nS", 1e-3, "uS"},    {"MOhm", 1, "MOhm"},  {"MΩ", 1, "MOhm"},
               {"Hz", 1e-3, "1/ms"},  {"kHz", 1, "1/ms"},   {"um", 1, "um"},
               {"cm", 1e4, "um"}};
  for (auto &c : cases) {
    auto u = lookupUnit(c.name);
    ASSERT_TRUE(u) << c.name;
    EXPECT_DOUBLE_EQ(u->scale, c.scale) << c.name;
    EXPECT_EQ(u->dim.str(), c.shown) << c.name;
  }
  EXPECT_FALSE(lookupUnit("mv"));
  EXPECT_FALSE(lookupUnit("cV"));
  EXPECT_FALSE(lookupUnit(""));
}

TEST(Units, TheSystemIsCoherent) {
  auto dim = [](const char *name) { return lookupUnit(name)->dim; };
  // nA = nF mV / ms = uS mV; ms = MOhm nF; mV = MOhm nA.
  EXPECT_EQ(dim("nF") * dim("mV") / dim("ms"), dim("nA"));
  EXPECT_EQ(dim("uS") * dim("mV"), dim("nA"));
  EXPECT_EQ(dim("MOhm") * dim("nF"), dim("ms"));
  EXPECT_EQ(dim("MOhm") * dim("nA"), dim("mV"));
  EXPECT_EQ(Dim() / dim("ms"), dim("Hz"));
}

TEST(Units, OnlyHertzIsStoredInHertz) {
  EXPECT_TRUE(lookupUnit("Hz")->hertz);
  EXPECT_TRUE(lookupUnit("kHz")->hertz);
  EXPECT_FALSE(lookupUnit("ms")->hertz);
  EXPECT_DOUBLE_EQ(storageFactor(true) * lookupUnit("Hz")->scale, 1.0);
}

TEST(Units, PowersAndRoots) {
  Dim v = Dim::voltage();
  EXPECT_EQ(v.pow(2)->str(), "mV^2");
  EXPECT_EQ(*v.pow(2)->sqrt(), v);
  EXPECT_FALSE(v.sqrt());
  EXPECT_FALSE(v.pow(101));
  EXPECT_EQ((v / Dim::time()).str(), "mV/ms");
  EXPECT_EQ((Dim() / (v * Dim::current())).str(), "1/mV/nA");
}

TEST(Units, TheUnitOfTheWeightIsReplaced) {
  Dim perWeight = Dim::time() / Dim::weight();
  EXPECT_EQ(perWeight.withWeight(Dim::current()),
            Dim::time() / Dim::current());
  EXPECT_EQ(Dim::weight().str(), "unit(w)");
}

TEST(Units, Suggestions) {
  std::vector<std::string> names = {"tau_m", "tau_syn", "v", "rest"};
  EXPECT_EQ(nearest("tau_n", names), "tau_m");
  EXPECT_EQ(nearest("TAU_M", names), "tau_m");
  EXPECT_EQ(nearest("rets", names), "rest");
  EXPECT_EQ(nearest("q", names), "");  // one letter suggests nothing
  EXPECT_EQ(nearest("threshold", names), "");
  EXPECT_EQ(nearest("tau_m", names), ""); // itself is no suggestion
}

TEST(Units, NumbersReadBackTheSame) {
  EXPECT_EQ(formatNumber(0.1), "0.1");
  EXPECT_EQ(formatNumber(1.0 / 3), "0.3333333333333333");
  EXPECT_EQ(formatNumber(-65), "-65");
}
} // namespace
