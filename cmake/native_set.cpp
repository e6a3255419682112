// Prints the widest kernel set that this machine's CPU runs. Run by CMake for LIKELY_ISA=native.
#include <cstdio>

#include "cpu.hpp"

int main() { std::printf("%s", likely::widest_supported_set().data()); }
