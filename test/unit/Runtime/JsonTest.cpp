// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "neuroc/rt/Json.h"

#include <gtest/gtest.h>

#include <cmath>

using namespace neuroc::rt;

static Json parsed(const std::string &text) {
  Json json;
  Status status = parseJson(text, "test", json);
  EXPECT_TRUE(status.isOk()) << status.message();
  return json;
}

TEST(Json, ParseErrorsCarryTheOrigin) {
  Json json;
  Status status = parseJson("{\"a\": }", "file.json", json);
  EXPECT_EQ(status.code(), Code::InputError);
  EXPECT_EQ(status.message().rfind("file.json: not JSON", 0), 0u);
}

TEST(Json, DeepNestingIsRefusedBracketsInStringsAreNot) {
  Json json;
  EXPECT_FALSE(parseJson(std::string(100000, '['), "t", json).isOk());
  EXPECT_TRUE(
      parseJson("\"" + std::string(1000, '[') + "\\\"[\"", "t", json).isOk());
}

TEST(Json, NumbersThatOverflowAreRefused) {
  Json json;
  Status status = parseJson("[1e999]", "t", json);
  EXPECT_NE(status.message().find("not JSON"), std::string::npos);
}

TEST(Json, DumpReplacesBadText) {
  Json json = "\xff\xfe";
  EXPECT_NO_THROW(dumpJson(json));
}

TEST(Json, NumbersAndNull) {
  std::vector<double> values = {1, NAN, 2.5};
  EXPECT_EQ(dumpJson(toJson(values), -1), "[1.0,null,2.5]");
  Status status;
  std::vector<double> back =
      JsonReader(parsed("[1.0, null, 2.5]"), "x", status).numbers();
  ASSERT_EQ(back.size(), 3u);
  EXPECT_TRUE(std::isnan(back[1]));
  EXPECT_TRUE(status.isOk());
}

/// The error that `read` leaves when it reads `text`.
template <typename Fn> static std::string errorOf(const char *text, Fn read) {
  Json json = parsed(text);
  Status status;
  JsonReader reader(json, "root", status);
  read(reader);
  EXPECT_FALSE(status.isOk()) << text;
  return status.message();
}

TEST(Json, ReaderErrorsNameThePath) {
  EXPECT_EQ(errorOf("{}", [](JsonReader &r) { r.at("a"); }),
            "root: lacks the member 'a'");
  EXPECT_EQ(errorOf("[]", [](JsonReader &r) { r.at("a"); }),
            "root: expected an object, found array");
  EXPECT_EQ(errorOf("{\"a\": 1}", [](JsonReader &r) { r.at("a").string(); }),
            "root.a: expected a string, found number");
  EXPECT_EQ(errorOf("{\"a\": \"x\"}", [](JsonReader &r) { r.at("a").number(); }),
            "root.a: expected a number, found string");
  EXPECT_EQ(errorOf("3", [](JsonReader &r) { r.size(); }),
            "root: expected an array, found number");
  EXPECT_EQ(errorOf("[1]", [](JsonReader &r) { r[1]; }),
            "root: has no element 1");
  EXPECT_EQ(errorOf("[1]", [](JsonReader &r) { r[0].boolean(); }),
            "root[0]: expected true or false, found number");
  EXPECT_EQ(errorOf("1.5", [](JsonReader &r) { r.integer(); }),
            "root: expected a whole number, found number");
  EXPECT_EQ(errorOf("18446744073709551615", [](JsonReader &r) { r.integer(); }),
            "root: expected a whole number, found number");
  EXPECT_EQ(errorOf("9", [](JsonReader &r) { r.integer(0, 8); }),
            "root: expected a whole number from 0 to 8, found 9");
  EXPECT_EQ(errorOf("-1", [](JsonReader &r) { r.natural(); }),
            "root: expected a whole number of at least 0");
  EXPECT_EQ(errorOf("7", [](JsonReader &r) { r.natural(5); }),
            "root: expected at most 5, found 7");
}

TEST(Json, FirstErrorIsKept) {
  std::string message = errorOf("{}", [](JsonReader &r) {
    r.at("first");
    r.at("second");
  });
  EXPECT_EQ(message, "root: lacks the member 'first'");
}

TEST(Text, NearestName) {
  std::vector<std::string> known = {"cpu", "spinnaker", "crossbar"};
  EXPECT_EQ(nearestName("spinaker", known), "spinnaker");
  EXPECT_EQ(nearestName("cpus", known), "cpu");
  EXPECT_EQ(nearestName("loihi", known), "");
  EXPECT_EQ(nearestName("x", {"yz"}), ""); // everything would be near
  EXPECT_EQ(suggestName("cpus", known), "; did you mean 'cpu'?");
  EXPECT_EQ(suggestName("loihi", known), "; known: cpu, spinnaker, crossbar");
  EXPECT_EQ(suggestName("loihi", {}), "");
}
