#include "files.hpp"

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <string>
#include <system_error>

#if __has_include(<unistd.h>)
#define LIKELY_POSIX 1
#include <fcntl.h>
#include <unistd.h>
#else
#define LIKELY_POSIX 0
#endif

namespace likely {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const std::string& what, const fs::path& path, int error) {
    throw fs::filesystem_error(what, path, std::error_code(error, std::generic_category()));
}

struct CloseFile {
    void operator()(std::FILE* file) const { std::fclose(file); }
};
using FileHandle = std::unique_ptr<std::FILE, CloseFile>;

/// Removes the file at the end of the scope, unless the path was cleared.
struct RemoveFile {
    fs::path path;
    ~RemoveFile() {
        std::error_code ignored;
        if (!path.empty()) fs::remove(path, ignored);
    }
};

/// The file that a path means, through symbolic links, whether it exists or not.
fs::path behind_links(const fs::path& path) {
    constexpr int most_links = 40;
    fs::path target = path;
    for (int i = 0; i < most_links; ++i) {
        if (!fs::is_symlink(fs::symlink_status(target))) return target;
        target = target.parent_path() / fs::read_symlink(target);
    }
    fail("cannot write", path, ELOOP);
}

/// Creates a file that did not exist. One that replaces another is closed to others at first.
std::FILE* create(const fs::path& path, bool replaces) {
#if LIKELY_POSIX
    const int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC;
    const int descriptor = ::open(path.c_str(), flags, replaces ? 0600 : 0666);
    if (descriptor < 0) return nullptr;
    std::FILE* const file = ::fdopen(descriptor, "wb");
    if (file == nullptr) {
        ::close(descriptor);
        ::unlink(path.c_str());
    }
    return file;
#else
    static_cast<void>(replaces);
    return std::fopen(path.string().c_str(), "wbx");
#endif
}

/// Forces a file's content out of this process and, where the system can, onto the disk.
bool flush(std::FILE* file) {
    if (std::fflush(file) != 0) return false;
#if LIKELY_POSIX
    return ::fsync(::fileno(file)) == 0;
#else
    return true;
#endif
}

/// Forces a rename onto the disk. Best effort: some file systems cannot.
void flush_directory(const fs::path& path) {
#if LIKELY_POSIX
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0) return;
    static_cast<void>(::fsync(descriptor));
    ::close(descriptor);
#else
    static_cast<void>(path);
#endif
}

long process_id() {
#if LIKELY_POSIX
    return ::getpid();
#else
    return 0;
#endif
}

}  // namespace

std::vector<std::byte> read_file(const fs::path& path) {
    if (fs::is_directory(path)) fail("cannot read", path, EISDIR);
    const auto size = static_cast<std::size_t>(fs::file_size(path));
    const FileHandle file(std::fopen(path.string().c_str(), "rb"));
    if (!file) fail("cannot read", path, errno);
    std::vector<std::byte> bytes(size);
    // Without bytes the pointer may be null, which fread and fwrite do not take.
    if (size != 0 && std::fread(bytes.data(), 1, size, file.get()) != size) {
        fail("cannot read", path, std::ferror(file.get()) != 0 ? errno : EIO);
    }
    return bytes;
}

void write_file_atomically(const fs::path& path, std::span<const std::byte> bytes) {
    const fs::path target = behind_links(path);
    const fs::file_status old = fs::status(target);
    if (fs::is_directory(old)) fail("cannot write", path, EISDIR);
    const bool replaces = fs::exists(old);
    // Never put a plain file in the place of a device or a pipe.
    if (replaces && !fs::is_regular_file(old)) fail("cannot write", path, EINVAL);

    const fs::path directory = target.has_parent_path() ? target.parent_path() : fs::path(".");
    static std::atomic<unsigned> counter = 0;
    fs::path temporary;
    RemoveFile remove_on_failure;
    FileHandle file;
    do {  // a name can be taken: by a process that died, or one of the same id on another machine
        temporary = directory / (".likely-" + std::to_string(process_id()) + "-" +
                                 std::to_string(counter++) + ".tmp");
        file.reset(create(temporary, replaces));
    } while (!file && errno == EEXIST);
    if (!file) fail("cannot write", path, errno);
    remove_on_failure.path = temporary;

    std::error_code error;
    // A file system without permissions is no reason to lose a model: the error is ignored.
    if (replaces) fs::permissions(temporary, old.permissions(), error);
    const std::size_t size = bytes.size();
    if ((size != 0 && std::fwrite(bytes.data(), 1, size, file.get()) != size) ||
        !flush(file.get()) || std::fclose(file.release()) != 0) {
        fail("cannot write", path, errno);
    }
    fs::rename(temporary, target, error);
    if (error) throw fs::filesystem_error("cannot write", path, error);
    remove_on_failure.path.clear();
    flush_directory(directory);
}

}  // namespace likely
