# A kernel set: cpp/src/kernels/ compiled for one instruction set. Eigen is on the include path here and nowhere else.

# What code of a kernel set is compiled with.
function(likely_kernel_target target set)
  likely_core_target(${target})
  if(LIKELY_SANITIZE)  # is for its checks: with -O3 it would take twice as long to compile
    target_compile_options(${target} PRIVATE -O1)
  else()
    target_compile_options(${target} PRIVATE -O3)
  endif()
  target_compile_options(${target} PRIVATE -ffp-contract=fast -fno-math-errno -fno-trapping-math)
  if(NOT set STREQUAL "baseline")
    target_compile_options(${target} PRIVATE -march=x86-64-${set})
  endif()
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # GCC's own AVX-512 header warns of itself (GCC bug 105593).
    target_compile_options(${target} PRIVATE -Wno-maybe-uninitialized -Wno-uninitialized)
  endif()
  # Eigen's namespace is renamed: an application that links these objects may use Eigen itself, compiled for other
  # instructions, and the linker would merge functions of the same name.
  target_compile_definitions(${target} PRIVATE LIKELY_INSTRUCTION_SET="${set}" Eigen=likely_eigen)
  target_link_libraries(${target} PRIVATE Eigen3::Eigen)
endfunction()

# Makes the object files of a set; LIKELY_KERNEL_OBJECTS_<set> lists them.
function(likely_add_kernel_set set)
  set(objects "")
  foreach(part table float double)
    set(target likely_kernels_${set}_${part})
    if(part STREQUAL "table")
      add_library(${target} OBJECT cpp/src/kernels/shuffle.cpp cpp/src/kernels/table.cpp)
    else()  # every file twice: once for each precision
      add_library(${target} OBJECT
        cpp/src/kernels/gather.cpp
        cpp/src/kernels/likelihood.cpp
        cpp/src/kernels/likelihood_classes.cpp
        cpp/src/kernels/likelihood_counts.cpp
        cpp/src/kernels/likelihood_gamma.cpp
        cpp/src/kernels/likelihood_mixture_classes.cpp
        cpp/src/kernels/likelihood_mixture_real.cpp
        cpp/src/kernels/likelihood_real.cpp
        cpp/src/kernels/likelihood_survival.cpp
        cpp/src/kernels/linear.cpp
        cpp/src/kernels/sample_steps.cpp
        cpp/src/kernels/network.cpp
        cpp/src/kernels/update.cpp)
      target_compile_definitions(${target} PRIVATE LIKELY_NUMBER=${part})
    endif()
    likely_kernel_target(${target} ${set})
    list(APPEND objects $<TARGET_OBJECTS:${target}>)
  endforeach()
  set(LIKELY_KERNEL_OBJECTS_${set} ${objects} PARENT_SCOPE)
endfunction()

# Makes the shared library _kernels_<set>.so of a set. It exports one function and needs nothing of the neutral code.
function(likely_add_kernel_library set)
  set(target _kernels_${set})
  add_library(${target} MODULE ${LIKELY_KERNEL_OBJECTS_${set}})
  set_target_properties(${target} PROPERTIES PREFIX "" SUFFIX ".so" LINKER_LANGUAGE CXX)
  likely_link_small(${target})
  if(APPLE)
    target_link_options(${target} PRIVATE LINKER:-exported_symbol,_likely_kernel_table)
  else()
    set(script ${PROJECT_SOURCE_DIR}/cmake/kernels.map)
    target_link_options(${target} PRIVATE LINKER:--version-script=${script})
    set_target_properties(${target} PROPERTIES LINK_DEPENDS ${script})
    if(NOT LIKELY_SANITIZE)  # a sanitizer's own functions come with the program
      target_link_options(${target} PRIVATE LINKER:--no-undefined)
    endif()
  endif()
endfunction()
