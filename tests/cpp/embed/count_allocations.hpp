// How often this program has asked for memory.
//
// Why: "allocates nothing" is a promise of the core, and only a count shows it. Linking (or
// including) count_allocations.cpp puts the counter below malloc and operator new.
#pragma once

#include <cstddef>

/// Calls of malloc and its kin and of operator new since the program began, on all threads.
std::size_t allocation_count() noexcept;
