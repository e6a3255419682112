# The kernel sets to build, from LIKELY_ISA.

# All sets there can be on the target processor, from the most general to the widest (see cpp/src/cpu.hpp).
if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$" AND CMAKE_SIZEOF_VOID_P EQUAL 8)
  set(LIKELY_KNOWN_SETS v2 v3 v4)
else()
  set(LIKELY_KNOWN_SETS baseline)
endif()
list(JOIN LIKELY_KNOWN_SETS ", " likely_known_names)

# The widest set that this machine's CPU runs.
function(likely_native_set result)
  list(LENGTH LIKELY_KNOWN_SETS count)
  if(count EQUAL 1)
    set(${result} ${LIKELY_KNOWN_SETS} PARENT_SCOPE)
    return()
  endif()
  if(CMAKE_CROSSCOMPILING)
    message(FATAL_ERROR "LIKELY_ISA=native asks for this machine's CPU, but the build is for another one. "
                        "Give -DLIKELY_ISA= one of ${likely_known_names}.")
  endif()
  # Asked anew each time: a build folder may be moved to another machine.
  unset(likely_cpu_ran CACHE)
  unset(likely_cpu_compiled CACHE)
  try_run(likely_cpu_ran likely_cpu_compiled ${PROJECT_BINARY_DIR} ${PROJECT_SOURCE_DIR}/cmake/native_set.cpp
          CMAKE_FLAGS -DINCLUDE_DIRECTORIES=${PROJECT_SOURCE_DIR}/cpp/src
          COMPILE_OUTPUT_VARIABLE compiler_output RUN_OUTPUT_VARIABLE level)
  if(NOT likely_cpu_compiled OR NOT likely_cpu_ran EQUAL 0)
    message(FATAL_ERROR "The CPU's instruction set could not be found out. Give -DLIKELY_ISA= one of "
                        "${likely_known_names}.\n${compiler_output}")
  endif()
  if(NOT level IN_LIST LIKELY_KNOWN_SETS)
    message(FATAL_ERROR "likely needs a CPU of at least x86-64-v2 (SSE 4.2, since about 2009).")
  endif()
  set(${result} ${level} PARENT_SCOPE)
endfunction()

# Reads "native", "all" or a list of names (separated by ; or ,).
function(likely_instruction_sets result asked)
  string(REPLACE "," ";" asked "${asked}")
  set(sets "")
  foreach(name IN LISTS asked)
    if(name STREQUAL "native")
      likely_native_set(native)
      list(APPEND sets ${native})
    elseif(name STREQUAL "all")
      list(APPEND sets ${LIKELY_KNOWN_SETS})
    elseif(name IN_LIST LIKELY_KNOWN_SETS)
      list(APPEND sets ${name})
    else()
      message(FATAL_ERROR "LIKELY_ISA has '${name}'; known: native, all, ${likely_known_names}.")
    endif()
  endforeach()
  if(NOT sets)
    message(FATAL_ERROR "LIKELY_ISA is empty; known: native, all, ${likely_known_names}.")
  endif()
  list(REMOVE_DUPLICATES sets)
  set(${result} ${sets} PARENT_SCOPE)
endfunction()
