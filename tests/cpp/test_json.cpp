// JSON: values, round trips, and a table of texts that must be refused with a reason.

#include <bit>
#include <cfloat>
#include <cstdint>
#include <limits>
#include <string>
#include <type_traits>
#include <vector>

#include "check.hpp"
#include "json.hpp"

using namespace likely;
using namespace std::string_literals;

namespace {

std::string repeat(std::string_view text, int times) {
    std::string out;
    for (int i = 0; i < times; ++i) out += text;
    return out;
}

void test_json_values() {
    const Json object = Json::Object{{"flag", true}, {"count", 3}, {"name", "dense"}};
    CHECK(object.at("flag").is_bool());
    CHECK(object.at("name").as_string() == "dense");
    CHECK(object.at("count").as_double() == 3.0);
    CHECK(object.find("other") == nullptr);
    CHECK(dump(object) == R"({"flag":true,"count":3,"name":"dense"})");
    CHECK(dump(std::vector<int>{1, 2}) == "[1,2]");
    CHECK(dump(std::vector<bool>{true, false}) == "[true,false]");
    CHECK(dump(std::vector<std::string>{"a"}) == R"(["a"])");
    CHECK(dump(std::vector<std::vector<double>>{{0.5}, {}}) == "[[0.5],[]]");
    CHECK(dump(Json::Object()) == "{}");
    CHECK(dump(nullptr) == "null");
    CHECK(!std::is_convertible_v<int*, Json> && !std::is_convertible_v<char, Json>);

    Json built;
    built.set("b", 1);
    built.set("a", "x");
    built.set("b", 2.0);
    CHECK(dump(built) == R"({"b":2.0,"a":"x"})");

    CHECK_THROWS(object.at("other"), "missing key \"other\"");
    CHECK_THROWS(object.at("flag").as_int(), "expected an integer, found a bool");
    CHECK_THROWS(object.at("count").as_string(), "expected a string, found an integer");
    CHECK_THROWS(Json(1.0).as_int(), "expected an integer, found a float");
    CHECK_THROWS(Json().at("key"), "expected an object, found null");
    CHECK_THROWS(Json(std::numeric_limits<std::uint64_t>::max()), "beyond 64 bits");
}

void test_json_round_trips() {
    for (const double value : {0.0, -0.0, 1.0, 0.1, -1e22, 1e300, 123456789.0, DBL_MAX, DBL_MIN,
                               std::numeric_limits<double>::denorm_min(), 1.0 / 3.0}) {
        const Json back = parse_json(dump(value));
        CHECK(back.is_double());
        CHECK(std::bit_cast<std::uint64_t>(back.as_double()) ==
              std::bit_cast<std::uint64_t>(value));
    }
    for (const std::int64_t value : {std::int64_t{0}, INT64_MIN, INT64_MAX}) {
        CHECK(parse_json(dump(value)) == Json(value));
    }
    const std::string text = "all \0 of \x1f \" \\ / \b\f\n\r\t \x7f \u00e9 \u20ac \U0001F600"s;
    CHECK(parse_json(dump(text)) == Json(text));
    CHECK(parse_json(R"("\u0041\u00e9\u20ac\ud83d\ude00\/")").as_string() ==
          "A\u00e9\u20ac\U0001F600/");
    CHECK(dump(parse_json(" { \"a\" : [ 1 , -2.5e1 , null , { } , [ ] ] }\r\n\t")) ==
          R"({"a":[1,-25.0,null,{},[]]})");
    CHECK(parse_json("9223372036854775808").as_double() == 0x1p63);
    CHECK(parse_json("1e2").is_double());
    CHECK(parse_json("1") != parse_json("1.0"));

    const std::string deepest = repeat("[", json_depth_limit);
    CHECK(dump(parse_json(deepest + repeat("]", json_depth_limit))).size() == 256);
    Json deeper = nullptr;
    for (int i = 0; i <= json_depth_limit; ++i) deeper = Json(Json::Array(1, deeper));
    CHECK_THROWS(dump(deeper), "nested deeper than 128");
    CHECK_THROWS(dump(std::numeric_limits<double>::infinity()), "no number for infinity or nan");
    CHECK_THROWS(dump("\xff"), "invalid UTF-8");
    CHECK_THROWS(dump(Json::Object({{"a", 1}, {"a", 2}})), "duplicate key \"a\"");
}

void test_json_attacks() {
    const struct {
        std::string text, error;
    } attacks[] = {
        {"", "byte 0: expected a value, but the text ends"},
        {"\xef\xbb\xbf{}", "byte 0: expected a value"},
        {"{} {}", "byte 3: text after the end"},
        {std::string("1\0", 2), "byte 1: text after the end"},
        {R"({"a":1,"b":2,"a":3})", "byte 0: duplicate key \"a\""},
        {R"([{"a":1,"\u0061":3}])", "byte 1: duplicate key \"a\""},
        {repeat("[", 1000000), "byte 128: nested deeper than 128"},
        {repeat("{\"a\":", 1000000), "nested deeper than 128"},
        {R"({"a" 1})", "byte 5: expected ':'"},
        {R"({a:1})", "byte 1: expected '\"'"},
        {R"({"a":1,})", "byte 7: expected '\"'"},
        {"[1,]", "byte 3: expected a value"},
        {"[1 2]", "byte 3: expected ']'"},
        {"[1", "byte 2: expected ']', but the text ends"},
        {"nul", "byte 0: expected a value"},
        {"NaN", "byte 0: expected a value"},
        {"-Infinity", "byte 1: expected a digit"},
        {"+1", "byte 0: expected a value"},
        {"01", "byte 0: number with a leading zero"},
        {"1.", "byte 2: expected a digit"},
        {".5", "byte 0: expected a value"},
        {"1e", "byte 2: expected a digit"},
        {"0x10", "byte 1: text after the end"},
        {"1e999", "byte 0: number outside the range"},
        {"'a'", "byte 0: expected a value"},
        {"\"a", "byte 2: the text ends inside a string"},
        {"\"a\n\"", "byte 2: control character"},
        {R"("\x")", "byte 1: unknown escape"},
        {"\"\\", "byte 1: unknown escape"},
        {R"("\u12")", "byte 3: expected four hexadecimal digits"},
        {R"("\u-123")", "byte 3: expected four hexadecimal digits"},
        {R"("\ud800")", "byte 1: unpaired surrogate"},
        {R"("\ud800\u0041")", "byte 1: unpaired surrogate"},
        {R"("\udc00\ud800")", "byte 1: unpaired surrogate"},
        {"\"\x80\"", "byte 1: invalid UTF-8"},          // a continuation byte alone
        {"\"\xc3\"", "byte 1: invalid UTF-8"},          // half a sequence
        {"\"\xc0\x80\"", "byte 1: invalid UTF-8"},      // overlong
        {"\"\xe0\x9f\xbf\"", "byte 1: invalid UTF-8"},  // overlong
        {"\"\xed\xa0\x80\"", "byte 1: invalid UTF-8"},  // a surrogate
        {"\"\xf4\x90\x80\x80\"", "byte 1: invalid UTF-8"},
        {"\"\xf0\x9f\x98", "byte 1: invalid UTF-8"},
    };
    for (const auto& [text, error] : attacks) CHECK_THROWS(parse_json(text), error);
}

}  // namespace

int main() {
    test_json_values();
    test_json_round_trips();
    test_json_attacks();
    return finish();
}
