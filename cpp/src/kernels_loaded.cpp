#include "kernels_loaded.hpp"

#include <dlfcn.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string_view>

#include "cpu.hpp"
#include "kernels/table.hpp"
#include "likely/registry.hpp"

namespace likely {
namespace {

const KernelTable* loaded_table = nullptr;

/// The folder of the shared library that this code is in.
std::filesystem::path own_folder() {
    Dl_info info{};
    if (dladdr(&loaded_table, &info) == 0 || info.dli_fname == nullptr) {
        throw std::runtime_error("likely cannot find the folder of its own module");
    }
    return std::filesystem::absolute(info.dli_fname).parent_path();
}

std::filesystem::path path_of(std::string_view set) {
    return own_folder() / ("_kernels_" + std::string(set) + ".so");
}

std::string joined(const std::vector<std::string>& names) {
    std::string text;
    for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
    return text.empty() ? "none" : text;
}

std::string beside_the_module() {
    return "kernel sets in " + own_folder().string() + ": " + joined(installed_kernel_sets());
}

/// True if this CPU runs the set.
bool supported(std::string_view set) {
    const auto* const end = kernel_set_names.begin() + supported_kernel_sets();
    return std::find(kernel_set_names.begin(), end, set) != end;
}

std::string asked_set(const std::string& name) {
    const std::vector<std::string_view> known(kernel_set_names.begin(), kernel_set_names.end());
    const std::vector<std::string> installed = installed_kernel_sets();
    const std::string asked = "LIKELY_ISA=" + name;
    if (std::find(known.begin(), known.end(), name) == known.end()) {
        throw std::runtime_error(asked + " is not a known instruction set; did you mean " +
                                 std::string(nearest_name(name, known)) + "? Known: " +
                                 joined({known.begin(), known.end()}) + "; " + beside_the_module());
    }
    if (!supported(name)) {
        throw std::runtime_error(asked + " is beyond this CPU, which runs " + cpu_level() +
                                 " at most; " + beside_the_module());
    }
    if (std::find(installed.begin(), installed.end(), name) == installed.end()) {
        throw std::runtime_error(asked + " is not installed; " + beside_the_module());
    }
    return name;
}

std::string widest_usable_set() {
    const std::vector<std::string> installed = installed_kernel_sets();
    const auto set = std::find_if(installed.rbegin(), installed.rend(), supported);
    if (set == installed.rend()) {
        const std::string advice = supported_kernel_sets() == 0
                                       ? "it is older than x86-64-v2"
                                       : "install likely from source on this machine";
        throw std::runtime_error("no installed kernel set of likely fits this CPU, which runs " +
                                 cpu_level() + "; " + beside_the_module() + "; " + advice);
    }
    return *set;
}

const KernelTable* open_set(const std::string& set) {
    const std::filesystem::path path = path_of(set);
    void* const library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    void* const function = library == nullptr ? nullptr : dlsym(library, "likely_kernel_table");
    if (function == nullptr) {
        const char* const reason = dlerror();
        throw std::runtime_error("likely cannot open its kernel set " + path.string() + ": " +
                                 (reason == nullptr ? "unknown reason" : reason));
    }
    return reinterpret_cast<const KernelTable* (*)()>(function)();
}

}  // namespace

void load_kernels() {
    if (loaded_table != nullptr) return;
    const char* const asked = std::getenv("LIKELY_ISA");
    const bool given = asked != nullptr && *asked != '\0';
    loaded_table = open_set(given ? asked_set(asked) : widest_usable_set());
}

std::string cpu_level() { return std::string(widest_supported_set()); }

std::vector<std::string> installed_kernel_sets() {
    std::vector<std::string> sets;
    for (const std::string_view set : kernel_set_names) {
        if (std::filesystem::exists(path_of(set))) sets.emplace_back(set);
    }
    return sets;
}

const KernelTable& kernel_table() { return *loaded_table; }

}  // namespace likely
