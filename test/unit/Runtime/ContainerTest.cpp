// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The container: what is written can be read back, bytes do not depend on
// anything but the contents, and every kind of damage is refused with its name.
// The file of each released version is read for ever (test/golden/container).
#include "neuroc/rt/Container.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <random>

using namespace neuroc::rt;

static std::string makeArchive(bool zip64 = false,
                               const std::string &manifest =
                                   R"({"target": "cpu", "dt_ms": 1.0})") {
  ContainerWriter writer;
  EXPECT_TRUE(writer.add("cpu/program.so", std::string(5000, 'x')).isOk());
  EXPECT_TRUE(writer.add("data/empty", "").isOk());
  EXPECT_TRUE(writer.add("data/a.npy", "hello").isOk());
  std::string bytes;
  Status status = writer.finish(manifest, bytes, zip64);
  EXPECT_TRUE(status.isOk()) << status.message();
  return bytes;
}

static Status load(const std::string &bytes,
                   std::shared_ptr<const Container> *out = nullptr) {
  std::shared_ptr<const Container> container;
  Status status = Container::read(asBytes(bytes), "x.nrx", container);
  if (out)
    *out = container;
  return status;
}

/// Expects that `bytes` is refused with a message that has `words` in it.
static void expectRefused(const std::string &bytes, const std::string &words) {
  Status status = load(bytes);
  ASSERT_FALSE(status.isOk()) << "not refused: " << words;
  EXPECT_EQ(status.code(), Code::InputError);
  EXPECT_NE(status.message().find(words), std::string::npos)
      << status.message();
  EXPECT_EQ(status.message().rfind("x.nrx", 0), 0u) << status.message();
}

class ContainerBothForms : public testing::TestWithParam<bool> {};

TEST_P(ContainerBothForms, RoundTrip) {
  std::shared_ptr<const Container> container;
  Status status = load(makeArchive(GetParam()), &container);
  ASSERT_TRUE(status.isOk()) << status.message();
  EXPECT_EQ(container->target(), "cpu");
  ASSERT_EQ(container->members().size(), 4u);
  EXPECT_EQ(container->members()[0].name, "manifest.json");
  EXPECT_EQ(container->text("data/a.npy"), "hello");
  EXPECT_EQ(container->bytes("cpu/program.so").size(), 5000u);
  EXPECT_TRUE(container->has("data/empty"));
  EXPECT_FALSE(container->has("data/b.npy"));
  EXPECT_TRUE(container->bytes("data/b.npy").empty());
  for (const Container::Member &member : container->members()) {
    EXPECT_EQ(member.offset % kMemberAlignment, 0u) << member.name;
    if (member.size)
      EXPECT_EQ(uintptr_t(container->bytes(member.name).data()) %
                    kMemberAlignment,
                0u);
  }
}

TEST_P(ContainerBothForms, EqualContentsGiveEqualBytes) {
  EXPECT_EQ(makeArchive(GetParam()), makeArchive(GetParam()));
}

TEST_P(ContainerBothForms, UnzipReadsIt) {
  if (std::system("command -v unzip >/dev/null") != 0)
    GTEST_SKIP() << "unzip is not installed";
  std::string path = testing::TempDir() + "container-test.nrx";
  ASSERT_TRUE(writeFileAtomically(path, makeArchive(GetParam())).isOk());
  EXPECT_EQ(std::system(("unzip -tqq " + path).c_str()), 0);
  std::filesystem::remove(path);
}

TEST_P(ContainerBothForms, EveryTruncationIsRefused) {
  std::string bytes = makeArchive(GetParam());
  for (size_t n = 0; n < bytes.size(); n += n < 4200 ? 97 : 13)
    EXPECT_FALSE(load(bytes.substr(0, n)).isOk()) << n;
}

TEST_P(ContainerBothForms, EveryDamagedByteIsRefusedOrHarmless) {
  // Flipping a byte must never crash, and what is still accepted must be the
  // same contents (dates and padding are not covered by a checksum).
  std::string good = makeArchive(GetParam());
  std::shared_ptr<const Container> original;
  ASSERT_TRUE(load(good, &original).isOk());
  for (size_t i = 0; i < good.size(); ++i) {
    std::string bytes = good;
    bytes[i] = char(bytes[i] ^ 0x41);
    std::shared_ptr<const Container> read;
    if (!load(bytes, &read).isOk())
      continue;
    ASSERT_EQ(read->members().size(), original->members().size()) << i;
    for (const Container::Member &member : original->members())
      ASSERT_EQ(read->text(member.name), original->text(member.name)) << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Zip, ContainerBothForms, testing::Bool(),
                         [](const auto &info) {
                           return info.param ? "zip64" : "zip32";
                         });

//===----------------------------------------------------------------------===//
// One damage, one message
//===----------------------------------------------------------------------===//

static void poke(std::string &bytes, size_t at, uint64_t value, int n) {
  for (int i = 0; i < n; ++i)
    bytes[at + size_t(i)] = char(uint8_t(value >> (8 * i)));
}
static size_t endRecord(const std::string &bytes) { return bytes.size() - 22; }
static size_t directory(const std::string &bytes) {
  size_t at = 0;
  for (int i = 3; i >= 0; --i)
    at = at << 8 | uint8_t(bytes[endRecord(bytes) + 16 + size_t(i)]);
  return at;
}
/// Start of directory entry `index` of an archive made by makeArchive.
static size_t entry(const std::string &bytes, int index) {
  size_t at = directory(bytes);
  for (int i = 0; i < index; ++i)
    at = bytes.find("PK\x01\x02", at + 4);
  return at;
}

TEST(ContainerDamage, NotAZip) {
  expectRefused("", "too few for a zip archive");
  expectRefused(std::string(100, 'a'), "(truncated, or not a .nrx file)");
}

TEST(ContainerDamage, Comment) {
  std::string bytes = makeArchive();
  poke(bytes, endRecord(bytes) + 20, 5, 2);
  expectRefused(bytes, "comments are not allowed");
}

TEST(ContainerDamage, SeveralParts) {
  std::string bytes = makeArchive();
  poke(bytes, endRecord(bytes) + 4, 1, 2);
  expectRefused(bytes, "several parts");
}

TEST(ContainerDamage, DirectoryLeavesTheFile) {
  std::string bytes = makeArchive();
  poke(bytes, endRecord(bytes) + 12, 0x7FFFFFFF, 4);
  expectRefused(bytes, "directory at byte ");
}

TEST(ContainerDamage, TooManyEntries) {
  std::string bytes = makeArchive();
  poke(bytes, endRecord(bytes) + 8, 9000, 2);
  poke(bytes, endRecord(bytes) + 10, 9000, 2);
  expectRefused(bytes, "bytes cannot hold 9000 entries");
}

TEST(ContainerDamage, DirectoryHasMore) {
  std::string bytes = makeArchive();
  poke(bytes, endRecord(bytes) + 8, 3, 2);
  poke(bytes, endRecord(bytes) + 10, 3, 2);
  expectRefused(bytes, "bytes after its last entry");
}

TEST(ContainerDamage, EntrySignature) {
  std::string bytes = makeArchive();
  poke(bytes, entry(bytes, 1), 0, 4);
  expectRefused(bytes, "directory entry 1 is damaged");
}

TEST(ContainerDamage, EntryLeavesTheDirectory) {
  std::string bytes = makeArchive();
  poke(bytes, entry(bytes, 3) + 32, 0xFFFF, 2);
  expectRefused(bytes, "leaves the directory");
}

TEST(ContainerDamage, Compressed) {
  std::string bytes = makeArchive();
  poke(bytes, entry(bytes, 1) + 10, 8, 2);
  expectRefused(bytes, "is compressed");
}

TEST(ContainerDamage, Encrypted) {
  std::string bytes = makeArchive();
  poke(bytes, entry(bytes, 1) + 8, 1, 2);
  expectRefused(bytes, "is encrypted or has flags");
}

TEST(ContainerDamage, TwoSizes) {
  std::string bytes = makeArchive();
  poke(bytes, entry(bytes, 1) + 20, 17, 4);
  expectRefused(bytes, "has two sizes");
}

TEST(ContainerDamage, Zip64SizeIsMissing) {
  std::string bytes = makeArchive();
  poke(bytes, entry(bytes, 1) + 20, 0xFFFFFFFF, 4);
  poke(bytes, entry(bytes, 1) + 24, 0xFFFFFFFF, 4);
  expectRefused(bytes, "lacks its zip64 sizes");
}

TEST(ContainerDamage, Zip64EndRecordIsMissing) {
  std::string bytes = makeArchive(true);
  poke(bytes, endRecord(bytes) - 20 + 8, uint64_t(1) << 60, 8);
  expectRefused(bytes, "zip64 end record is missing");
}

TEST(ContainerDamage, HeaderElsewhere) {
  std::string bytes = makeArchive();
  poke(bytes, entry(bytes, 1) + 42, 12345, 4);
  expectRefused(bytes, "has no header at byte 12345");
}

TEST(ContainerDamage, HeaderDiffers) {
  std::string bytes = makeArchive();
  size_t header = bytes.find("PK\x03\x04", 10);
  poke(bytes, header + 14, 0, 4);
  expectRefused(bytes, "differs between header and directory");
}

TEST(ContainerDamage, HeaderLeavesTheFile) {
  std::string bytes = makeArchive();
  size_t last = bytes.rfind("PK\x03\x04");
  poke(bytes, last + 28, 0xFFFF, 2);
  expectRefused(bytes, "header that leaves the file");
}

TEST(ContainerDamage, MemberReachesTheDirectory) {
  std::string bytes = makeArchive();
  size_t header = bytes.rfind("PK\x03\x04");
  for (size_t at : {header + 18, entry(bytes, 3) + 20}) {
    poke(bytes, at, 500000, 4);
    poke(bytes, at + 4, 500000, 4);
  }
  expectRefused(bytes, "where the directory starts");
}

/// Changes a name in its local header and in the directory.
static std::string renamed(std::string bytes, const std::string &from,
                           const std::string &to) {
  EXPECT_EQ(from.size(), to.size());
  for (size_t header = bytes.find("PK"); header != std::string::npos;
       header = bytes.find("PK", header + 1)) {
    size_t name = header + (bytes[header + 2] == 1 ? 46 : 30);
    if (name + from.size() <= bytes.size() &&
        bytes.compare(name, from.size(), from) == 0)
      bytes.replace(name, from.size(), to);
  }
  return bytes;
}

TEST(ContainerDamage, Names) {
  expectRefused(renamed(makeArchive(), "data/a.npy", "data/../np"),
                "has a name that is not allowed");
  expectRefused(renamed(makeArchive(), "data/a.npy", "data/empty"),
                "repeats the name 'data/empty'");
  expectRefused(renamed(makeArchive(), "manifest.json", "manifest.jsox"),
                "the first member must be 'manifest.json'");
}

TEST(ContainerDamage, Checksum) {
  std::string bytes = makeArchive();
  bytes[bytes.find("hello")] = 'j';
  expectRefused(bytes, "member 'data/a.npy' has a wrong checksum");
}

/// Replaces the manifest of the archive by `edit` of its text and repairs the
/// zip around it, so that only the manifest's own checks can object.
static std::string
withManifest(const std::function<std::string(std::string)> &edit) {
  std::string bytes = makeArchive();
  std::shared_ptr<const Container> container;
  EXPECT_TRUE(load(bytes, &container).isOk());
  const Container::Member &member = container->members()[0];
  std::string text = edit(std::string(container->manifest()));
  // Same size: pad with blanks, which JSON ignores.
  EXPECT_LE(text.size(), member.size);
  text.resize(member.size, ' ');
  bytes.replace(member.offset, text.size(), text);
  uint32_t crc = crc32(asBytes(text));
  poke(bytes, 14, crc, 4);
  poke(bytes, entry(bytes, 0) + 16, crc, 4);
  return bytes;
}

static std::string replaced(std::string text, const std::string &from,
                            const std::string &to) {
  size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

static std::string manifestWith(const std::string &from,
                                const std::string &to) {
  return withManifest(
      [&](std::string text) { return replaced(std::move(text), from, to); });
}

TEST(ContainerManifest, NotJson) {
  expectRefused(manifestWith("{", "["), "not JSON");
}
TEST(ContainerManifest, Format) {
  expectRefused(manifestWith("neuroc-program", "neuroc-progra"),
                "expected \"neuroc-program\"");
}
TEST(ContainerManifest, NewerMajorVersion) {
  expectRefused(manifestWith("    1,\n    0", "    2,\n    0"),
                "cannot be read by this version, which reads format 1");
}
TEST(ContainerManifest, NewerMinorVersionIsRead) {
  EXPECT_TRUE(load(manifestWith("    1,\n    0", "    1,\n    7")).isOk());
}
TEST(ContainerManifest, VersionHasTwoParts) {
  expectRefused(manifestWith("    1,\n    0", "    1"),
                "expected [major, minor]");
}
TEST(ContainerManifest, Target) {
  expectRefused(manifestWith("\"target\"", "\"tarGet\""),
                "lacks the member 'target'");
}
TEST(ContainerManifest, WrongHash) {
  expectRefused(withManifest([](std::string text) {
                  size_t digit = text.find("\"sha256\": \"") + 11;
                  text[digit] = text[digit] == '0' ? '1' : '0';
                  return text;
                }),
                "wrong SHA-256");
}
TEST(ContainerManifest, WrongSize) {
  expectRefused(manifestWith("\"size\": 5000", "\"size\": 5001"),
                "has 5000 bytes, expected 5001");
}
TEST(ContainerManifest, MemberIsNotListed) {
  expectRefused(withManifest([](std::string text) {
                  size_t from = text.find('{', text.find("\"members\""));
                  size_t to = text.find("},", from) + 2;
                  return text.erase(from, to - from);
                }),
                "lists 2 members, the file has 3");
}
TEST(ContainerManifest, UnknownMember) {
  expectRefused(manifestWith("data/a.npy", "data/b.npy"),
                "the file has no member 'data/b.npy'");
}
TEST(ContainerManifest, MemberTwice) {
  expectRefused(withManifest([](std::string text) {
                  // The entry of data/empty becomes a second one of data/a.npy.
                  size_t hash = text.find("\"sha256\"", text.find("a.npy"));
                  size_t other = text.find("\"sha256\"", text.find("empty"));
                  EXPECT_NE(hash, std::string::npos);
                  EXPECT_NE(other, std::string::npos);
                  return replaced(std::move(text), "data/empty", "data/a.npy");
                }),
                "members[");
}
TEST(ContainerManifest, Deep) {
  expectRefused(withManifest([](std::string) { return std::string(200, '['); }),
                "nested deeper");
}

TEST(ContainerWriter, RefusesNames) {
  ContainerWriter writer;
  auto refuse = [&](const char *name, const char *words) {
    Status status = writer.add(name, "x");
    EXPECT_FALSE(status.isOk()) << name;
    EXPECT_NE(status.message().find(words), std::string::npos)
        << status.message();
  };
  for (const char *name : {"", "/etc/passwd", "a/../b", "a//b", "a\\b", "a b",
                           "a/", "./a", "ä"})
    refuse(name, "not a legal name");
  refuse("manifest.json", "the name is reserved");
  EXPECT_TRUE(writer.add("data/c.h[0].npy", "x").isOk());
  EXPECT_TRUE(writer.add("a", "x").isOk());
  refuse("a", "added twice");
}

TEST(ContainerWriter, RefusesManifestWithoutTarget) {
  ContainerWriter writer;
  std::string bytes;
  EXPECT_FALSE(writer.finish("{}", bytes).isOk());
  EXPECT_FALSE(writer.finish("[]", bytes).isOk());
  EXPECT_FALSE(writer.finish("{", bytes).isOk());
}

TEST(ContainerGolden, EveryReleasedVersionIsRead) {
  int count = 0;
  for (const auto &file : std::filesystem::directory_iterator(
           std::string(NEUROC_GOLDEN_DIR) + "/container")) {
    if (file.path().extension() != ".nrx")
      continue;
    std::shared_ptr<const Container> container;
    Status status = Container::open(file.path(), container);
    EXPECT_TRUE(status.isOk()) << status.message();
    if (status)
      EXPECT_EQ(container->text("data/a.npy"), "hello");
    ++count;
  }
  EXPECT_GE(count, 2);
}

TEST(ContainerGolden, TodaysWriterGivesTheBytesOfVersion10) {
  for (bool zip64 : {false, true}) {
    std::string golden;
    std::string path = std::string(NEUROC_GOLDEN_DIR) + "/container/v1.0" +
                       (zip64 ? "-zip64" : "") + ".nrx";
    if (std::getenv("NEUROC_WRITE_GOLDEN"))
      ASSERT_TRUE(writeFileAtomically(path, makeArchive(zip64)).isOk());
    ASSERT_TRUE(readFile(path, golden).isOk());
    EXPECT_TRUE(golden == makeArchive(zip64)) << path;
  }
}

TEST(ContainerFuzz, RandomBytesNeverCrash) {
  std::mt19937 random(12345);
  std::string good = makeArchive();
  for (int round = 0; round < 3000; ++round) {
    std::string bytes = good;
    // A few random edits, some of them in the structures at the end.
    for (unsigned n = 1 + random() % 8; n; --n) {
      size_t span = random() % 2 ? bytes.size() : size_t(400);
      size_t at = bytes.size() - 1 - random() % span;
      bytes[at] = char(random());
    }
    if (random() % 4 == 0)
      bytes.resize(random() % bytes.size());
    (void)load(bytes).isOk();
  }
}

TEST(Files, ErrorsNameThePath) {
  std::string bytes;
  Status missing = readFile("/nonexistent/file", bytes);
  EXPECT_EQ(missing.code(), Code::InputError);
  EXPECT_NE(missing.message().find("/nonexistent/file"), std::string::npos);
  Status folder = readFile("/tmp", bytes);
  EXPECT_NE(folder.message().find("it is a folder"), std::string::npos);
  // A file that opens and then cannot be read.
  EXPECT_NE(readFile("/proc/self/mem", bytes).message().find("read error"),
            std::string::npos);
  Status write = writeFileAtomically("/nonexistent/file", "x");
  EXPECT_EQ(write.code(), Code::OutputError);
}

TEST(Files, WriteLeavesNoTemporaryFile) {
  std::string folder = testing::TempDir() + "neuroc-files-test";
  std::filesystem::create_directories(folder);
  ASSERT_TRUE(writeFileAtomically(folder + "/a", "one").isOk());
  ASSERT_TRUE(writeFileAtomically(folder + "/a", "two").isOk());
  std::string bytes;
  ASSERT_TRUE(readFile(folder + "/a", bytes).isOk());
  EXPECT_EQ(bytes, "two");
  int count = 0;
  for (auto &file : std::filesystem::directory_iterator(folder))
    count += file.exists();
  EXPECT_EQ(count, 1);
  std::filesystem::remove_all(folder);
}
