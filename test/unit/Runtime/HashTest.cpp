// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Known answers: CRC-32 of "123456789" (the check value of the polynomial) and
// SHA-256 of the messages of FIPS 180-4.
#include "neuroc/rt/Container.h"

#include <gtest/gtest.h>

using namespace neuroc::rt;

TEST(Hash, Crc32CheckValue) {
  EXPECT_EQ(crc32(asBytes("123456789")), 0xCBF43926u);
  EXPECT_EQ(crc32(asBytes("")), 0u);
}

TEST(Hash, Crc32OfEveryLengthIsTheBytewiseOne) {
  std::string text;
  for (int n = 0; n < 70; ++n) {
    uint32_t crc = ~0u;
    for (char c : text) {
      crc ^= uint8_t(c);
      for (int bit = 0; bit < 8; ++bit)
        crc = (crc >> 1) ^ (crc & 1 ? 0xEDB88320u : 0);
    }
    EXPECT_EQ(crc32(asBytes(text)), ~crc) << n;
    text += char(n * 37 + 11);
  }
}

TEST(Hash, Sha256KnownAnswers) {
  EXPECT_EQ(sha256Hex(asBytes("")),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256Hex(asBytes("abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(
      sha256Hex(asBytes("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopno"
                        "pq")),
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(sha256Hex(asBytes(std::string(1000000, 'a'))),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}
