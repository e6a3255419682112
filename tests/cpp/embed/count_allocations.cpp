// The counter of count_allocations.hpp. With glibc every function of the malloc family is replaced,
// and with it operator new, which calls them; elsewhere, or where a sanitizer owns malloc, operator
// new alone.
#include "count_allocations.hpp"

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <new>

namespace {

std::atomic<std::size_t> allocations_so_far{0};

}  // namespace

std::size_t allocation_count() noexcept {
    return allocations_so_far.load(std::memory_order_relaxed);
}

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZER_OWNS_MALLOC
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZER_OWNS_MALLOC
#endif

#if defined(__GLIBC__) && !defined(SANITIZER_OWNS_MALLOC)

#define REPLACEMENT extern "C" __attribute__((visibility("default")))

extern "C" void* __libc_malloc(std::size_t) noexcept;
extern "C" void* __libc_calloc(std::size_t, std::size_t) noexcept;
extern "C" void* __libc_realloc(void*, std::size_t) noexcept;
extern "C" void* __libc_memalign(std::size_t, std::size_t) noexcept;

REPLACEMENT void* malloc(std::size_t size) noexcept {
    ++allocations_so_far;
    return __libc_malloc(size);
}
REPLACEMENT void* calloc(std::size_t number, std::size_t size) noexcept {
    ++allocations_so_far;
    return __libc_calloc(number, size);
}
REPLACEMENT void* realloc(void* memory, std::size_t size) noexcept {
    ++allocations_so_far;
    return __libc_realloc(memory, size);
}
REPLACEMENT void* memalign(std::size_t alignment, std::size_t size) noexcept {
    ++allocations_so_far;
    return __libc_memalign(alignment, size);
}
REPLACEMENT void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept {
    ++allocations_so_far;
    return __libc_memalign(alignment, size);
}
REPLACEMENT int posix_memalign(void** memory, std::size_t alignment, std::size_t size) noexcept {
    ++allocations_so_far;
    *memory = __libc_memalign(alignment, size);
    return *memory ? 0 : ENOMEM;
}

#else

namespace {

void* counted(std::size_t size, std::size_t alignment) {
    ++allocations_so_far;
    void* memory = nullptr;
    if (posix_memalign(&memory, alignment, size) != 0) throw std::bad_alloc();
    return memory;
}

}  // namespace

// The other forms of new and delete call these.
void* operator new(std::size_t size) { return counted(size, alignof(std::max_align_t)); }
void* operator new(std::size_t size, std::align_val_t alignment) {
    return counted(size, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }

#endif
