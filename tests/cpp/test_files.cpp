// Whole files in and out, above all: when writing fails, the old file is whole and nothing is left.

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

#include "check.hpp"
#include "files.hpp"

using namespace likely;

namespace {

namespace fs = std::filesystem;
using Bytes = std::vector<std::byte>;

Bytes to_bytes(std::string_view text) {
    const auto* first = reinterpret_cast<const std::byte*>(text.data());
    return Bytes(first, first + text.size());
}

mode_t mode_of(const fs::path& path) {
    struct stat status{};
    return ::stat(path.c_str(), &status) == 0 ? status.st_mode & 07777 : 0;
}

void test_files(const fs::path& folder) {
    const auto entries = [&folder] {
        return std::distance(fs::directory_iterator(folder), fs::directory_iterator());
    };
    const fs::path path = folder / "model.safetensors";
    const Bytes old = to_bytes("the old file");
    const mode_t old_mask = ::umask(027);
    write_file_atomically(path, old);
    ::umask(old_mask);
    CHECK(read_file(path) == old);
    CHECK(mode_of(path) == 0640);

    // A replaced file keeps its permissions, and a link goes on being one.
    fs::permissions(path, fs::perms(0604));
    fs::create_symlink("model.safetensors", folder / "link");
    write_file_atomically(folder / "link", to_bytes("new"));
    CHECK(fs::is_symlink(folder / "link"));
    CHECK(read_file(path) == to_bytes("new"));
    CHECK(mode_of(path) == 0604);
    fs::create_symlink("absent", folder / "dangling");
    write_file_atomically(folder / "dangling", {});
    CHECK(read_file(folder / "absent").empty());
    fs::create_symlink("circle", folder / "circle");
    CHECK_THROWS(write_file_atomically(folder / "circle", old), "symbolic links");

    // A name that is already taken is left alone.
    for (int i = 0; i < 20; ++i) {
        std::ofstream(folder /
                      (".likely-" + std::to_string(::getpid()) + "-" + std::to_string(i) + ".tmp"));
    }
    const auto before = entries();
    write_file_atomically(path, old);
    CHECK(entries() == before);

    // When the disk is full (here: a limit on the size of files), the old file stays whole.
    std::signal(SIGXFSZ, SIG_IGN);
    rlimit limit{};
    ::getrlimit(RLIMIT_FSIZE, &limit);
    const rlimit small{100'000, limit.rlim_max};
    for (const std::size_t size : {100'001u, 1'000'000u}) {
        ::setrlimit(RLIMIT_FSIZE, &small);
        CHECK_THROWS(write_file_atomically(path, Bytes(size)), "File too large");
        CHECK_THROWS(write_file_atomically(path, Bytes(size)), path.string());
        ::setrlimit(RLIMIT_FSIZE, &limit);
        CHECK(read_file(path) == old);
        CHECK(entries() == before);
    }
    const Bytes large(1'000'000, std::byte{7});
    write_file_atomically(path, large);
    CHECK(read_file(path) == large);

    CHECK_THROWS(write_file_atomically(folder, old), "Is a directory");
    CHECK_THROWS(write_file_atomically("/dev/null", old), "Invalid argument");
    CHECK(fs::is_character_file("/dev/null"));
    const fs::path nowhere = folder / "no" / "model";
    CHECK_THROWS(write_file_atomically(nowhere, old), "No such file or directory");
    CHECK_THROWS(write_file_atomically(nowhere, old), nowhere.string());
    CHECK_THROWS(read_file(nowhere), "No such file or directory");
    CHECK_THROWS(read_file(nowhere), nowhere.string());
    CHECK_THROWS(read_file(folder), "Is a directory");
    CHECK(entries() == before);
}

}  // namespace

int main() {
    const fs::path folder =
        fs::temp_directory_path() / ("likely-test-" + std::to_string(::getpid()));
    fs::create_directory(folder);
    test_files(folder);
    fs::remove_all(folder);
    return finish();
}
