#include "likely/memory.hpp"

#include <new>
#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace likely {
namespace {

constexpr std::size_t cache_line = 64, huge_page = std::size_t{2} << 20;

std::align_val_t alignment(std::size_t bytes) {
    return std::align_val_t{bytes < huge_page ? cache_line : huge_page};
}

}  // namespace

void* allocate_aligned(std::size_t bytes) {
    void* const memory = ::operator new(bytes, alignment(bytes));
#if defined(MADV_HUGEPAGE)
    // A wish: where it is refused, small pages do. Whole pages alone, so that no memory is wasted.
    if (const std::size_t whole = bytes / huge_page * huge_page)
        static_cast<void>(madvise(memory, whole, MADV_HUGEPAGE));
#endif
    return memory;
}

void deallocate_aligned(void* memory, std::size_t bytes) noexcept {
    ::operator delete(memory, alignment(bytes));
}

}  // namespace likely
