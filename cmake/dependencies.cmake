# Every library the project uses, as an imported target. scripts/install_dependencies.sh installs them on Debian.
set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(OpenMP REQUIRED COMPONENTS C)
find_package(ZLIB REQUIRED)
find_package(CURL REQUIRED)
find_package(LibArchive REQUIRED)
find_package(OpenSSL REQUIRED COMPONENTS Crypto) # checksums of data files
pkg_search_module(hdf5 REQUIRED IMPORTED_TARGET hdf5-serial hdf5)
pkg_check_modules(yaml REQUIRED IMPORTED_TARGET yaml-0.1)
find_path(RS_RANDOM123 Random123/philox.h REQUIRED)
find_library(RS_HDF5_HL NAMES hdf5_serial_hl hdf5_hl HINTS ${hdf5_LIBRARY_DIRS} REQUIRED)

# oneDNN by its header and library: its own CMake files ask for OpenCL's, which Debian's package does not bring.
find_path(RS_DNNL_INCLUDE oneapi/dnnl/dnnl.h REQUIRED)
find_library(RS_DNNL NAMES dnnl REQUIRED)
if(NOT TARGET DNNL::dnnl)
  add_library(DNNL::dnnl UNKNOWN IMPORTED)
  set_target_properties(DNNL::dnnl PROPERTIES IMPORTED_LOCATION ${RS_DNNL} INTERFACE_INCLUDE_DIRECTORIES ${RS_DNNL_INCLUDE})
endif()

# OpenBLAS in its OpenMP flavour: one thread pool with oneDNN. Debian puts it in a folder of its own, which the
# program remembers (run path), so that another flavour chosen for the system does not take its place.
find_library(RS_OPENBLAS NAMES openblas PATH_SUFFIXES openblas-openmp REQUIRED)
find_path(RS_OPENBLAS_INCLUDE cblas.h PATH_SUFFIXES openblas-openmp x86_64-linux-gnu/openblas-openmp openblas x86_64-linux-gnu REQUIRED)
set(CMAKE_INSTALL_RPATH_USE_LINK_PATH ON)

if(RS_TESTS)
  pkg_check_modules(cmocka IMPORTED_TARGET cmocka)
  # Of several Pythons, the first that can read records.
  find_program(RS_PATH_PYTHON python3)
  foreach(candidate ${RS_PATH_PYTHON} /usr/bin/python3)
    if(NOT Python3_EXECUTABLE)
      execute_process(COMMAND ${candidate} -c "import h5py" RESULT_VARIABLE without_h5py OUTPUT_QUIET ERROR_QUIET)
      if(without_h5py EQUAL 0)
        set(Python3_EXECUTABLE ${candidate} CACHE FILEPATH "Python of the tests")
      endif()
    endif()
  endforeach()
  find_package(Python3 COMPONENTS Interpreter)
  if(NOT cmocka_FOUND OR NOT Python3_FOUND)
    message(FATAL_ERROR "The tests need cmocka and Python 3: run scripts/install_dependencies.sh --tests, or configure with -DRS_TESTS=OFF.")
  endif()
endif()
