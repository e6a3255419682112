# Finds Eigen: what the user names, else the one that pip installed (cmeel-eigen), else the system's.

# The kernels call Eigen's blocked product below its expressions, so its next major version needs work here first.
set(LIKELY_EIGEN_VERSION 3.4)

macro(likely_find_eigen)  # a macro, so that the caller sees Eigen3_VERSION and Eigen3_DIR
  # A build folder outlives the environment that pip made for one build.
  if(Eigen3_DIR AND NOT EXISTS "${Eigen3_DIR}/Eigen3Config.cmake")
    message(STATUS "There is no Eigen in ${Eigen3_DIR}; looking elsewhere")
    unset(Eigen3_DIR CACHE)
  endif()
  if(NOT Eigen3_DIR)
    # cmeel installs below site-packages/cmeel.prefix, while scikit-build-core names only site-packages.
    file(TO_CMAKE_PATH "$ENV{CMAKE_PREFIX_PATH}" cmeel_prefixes)
    list(PREPEND cmeel_prefixes ${CMAKE_PREFIX_PATH})
    list(TRANSFORM cmeel_prefixes APPEND "/cmeel.prefix")
    find_package(Eigen3 ${LIKELY_EIGEN_VERSION} CONFIG QUIET PATHS ${cmeel_prefixes} NO_DEFAULT_PATH)
  endif()
  if(NOT Eigen3_FOUND)
    find_package(Eigen3 ${LIKELY_EIGEN_VERSION} CONFIG QUIET)
  endif()
  if(NOT Eigen3_FOUND)
    message(FATAL_ERROR
      "likely needs Eigen ${LIKELY_EIGEN_VERSION} (a later 3.x is fine) to build. Any one of these will do:\n"
      "  Debian, Ubuntu:  apt-get install libeigen3-dev\n"
      "  macOS, conda:    conda install 'eigen<4'\n"
      "  pip:             python3 -m pip install cmeel-eigen\n"
      "                   and cmake -DCMAKE_PREFIX_PATH=the folder site-packages that pip put it in\n"
      "  your own copy:   cmake -DEigen3_DIR=the folder that holds its Eigen3Config.cmake")
  endif()
endmacro()
