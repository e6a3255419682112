// Whole files in and out. Saving must not cost the old model: a full disk or a crash in the middle
// leaves it as it was.
//
// Contract: what goes wrong is a std::filesystem::filesystem_error with the file's name and the
// system's reason.

#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <vector>

namespace likely {

/// The bytes of a regular file.
std::vector<std::byte> read_file(const std::filesystem::path& path);

/// Writes a new file beside the target, forces it to the disk and renames it over the target: at
/// any moment the target is the whole old file or the whole new one, and on an error the old one.
/// A symbolic link stays, and what it points to is replaced. The permissions of an existing file
/// are kept (its owner and other hard links are not); a new file has what the umask leaves.
void write_file_atomically(const std::filesystem::path& path, std::span<const std::byte> bytes);

}  // namespace likely
