#include <charconv>
#include <stdexcept>
#include <system_error>

#include "json.hpp"
#include "json_text.hpp"

namespace likely {
namespace {

void append_utf8(std::string& out, unsigned code) {
    const auto put = [&out](unsigned byte) { out += static_cast<char>(byte); };
    if (code < 0x80) {
        put(code);
    } else if (code < 0x800) {
        put(0xC0 | code >> 6);
        put(0x80 | (code & 0x3F));
    } else if (code < 0x10000) {
        put(0xE0 | code >> 12);
        put(0x80 | (code >> 6 & 0x3F));
        put(0x80 | (code & 0x3F));
    } else {
        put(0xF0 | code >> 18);
        put(0x80 | (code >> 12 & 0x3F));
        put(0x80 | (code >> 6 & 0x3F));
        put(0x80 | (code & 0x3F));
    }
}

class Parser {
  public:
    explicit Parser(std::string_view text) : text_(text) {}

    Json document() {
        Json result = value(0);
        skip_space();
        if (position_ != text_.size()) fail("text after the end of the value");
        return result;
    }

  private:
    [[noreturn]] void fail(const std::string& reason) const { fail_at(position_, reason); }
    [[noreturn]] static void fail_at(std::size_t position, const std::string& reason) {
        throw std::invalid_argument("JSON, byte " + std::to_string(position) + ": " + reason);
    }

    // At the end this is a zero byte, which no rule below accepts.
    char peek() const { return position_ < text_.size() ? text_[position_] : '\0'; }
    bool accept(char wanted) {
        if (peek() != wanted) return false;
        ++position_;
        return true;
    }
    void expect(char wanted) {
        if (accept(wanted)) return;
        const bool ended = position_ == text_.size();
        fail(std::string("expected '") + wanted + "'" + (ended ? ", but the text ends" : ""));
    }
    void skip_space() {
        while (peek() == ' ' || peek() == '\n' || peek() == '\r' || peek() == '\t') ++position_;
    }
    bool at_digit() const { return peek() >= '0' && peek() <= '9'; }

    Json value(int depth) {
        skip_space();
        switch (peek()) {
            case '{':
                return object(depth + 1);
            case '[':
                return array(depth + 1);
            case '"':
                return string();
            case 't':
                return word("true", true);
            case 'f':
                return word("false", false);
            case 'n':
                return word("null", nullptr);
            default:
                if (peek() == '-' || at_digit()) return number();
                fail(position_ == text_.size() ? "expected a value, but the text ends"
                                               : "expected a value");
        }
    }

    Json word(std::string_view name, Json meaning) {
        if (text_.substr(position_, name.size()) != name) fail("expected a value");
        position_ += name.size();
        return meaning;
    }

    void enter(int depth) {
        if (depth > json_depth_limit) {
            fail("nested deeper than " + std::to_string(json_depth_limit));
        }
        ++position_;
        skip_space();
    }

    Json object(int depth) {
        const std::size_t begin = position_;
        enter(depth);
        Json::Object members;
        if (accept('}')) return members;
        do {
            skip_space();
            std::string key = string();
            skip_space();
            expect(':');
            members.emplace_back(std::move(key), value(depth));
            skip_space();
        } while (accept(','));
        expect('}');
        if (const auto key = duplicate_key(members)) {
            fail_at(begin, "duplicate key " + dump(*key) + " in this object");
        }
        return members;
    }

    Json array(int depth) {
        enter(depth);
        Json::Array elements;
        if (accept(']')) return elements;
        do {
            elements.push_back(value(depth));
            skip_space();
        } while (accept(','));
        expect(']');
        return elements;
    }

    std::string string() {
        expect('"');
        std::string out;
        while (!accept('"')) {
            if (position_ == text_.size()) fail("the text ends inside a string");
            if (accept('\\')) {
                escape(out);
                continue;
            }
            if (static_cast<unsigned char>(peek()) < 0x20) fail("control character in a string");
            const std::size_t length = utf8_sequence(text_.substr(position_));
            if (length == 0) fail("invalid UTF-8");
            out.append(text_, position_, length);
            position_ += length;
        }
        return out;
    }

    void escape(std::string& out) {
        constexpr std::string_view names = "\"\\/bfnrt";
        constexpr std::string_view meanings = "\"\\/\b\f\n\r\t";
        const std::size_t index = names.find(peek());
        if (index != std::string_view::npos) {
            ++position_;
            out += meanings[index];
            return;
        }
        const std::size_t begin = position_ - 1;
        if (!accept('u')) fail_at(begin, "unknown escape");
        unsigned code = four_hex_digits();
        if (code >= 0xD800 && code < 0xE000) {
            const bool high = code < 0xDC00 && accept('\\') && accept('u');
            const unsigned second = high ? four_hex_digits() : 0;
            if (second < 0xDC00 || second >= 0xE000) fail_at(begin, "unpaired surrogate");
            code = 0x10000 + ((code - 0xD800) << 10) + (second - 0xDC00);
        }
        append_utf8(out, code);
    }

    unsigned four_hex_digits() {
        const std::string_view digits = text_.substr(position_, 4);
        unsigned code = 0;
        const char* const end = digits.data() + digits.size();
        const auto result = std::from_chars(digits.data(), end, code, 16);
        if (digits.size() != 4 || result.ptr != end) fail("expected four hexadecimal digits");
        position_ += 4;
        return code;
    }

    void skip_digits() {
        if (!at_digit()) fail("expected a digit");
        while (at_digit()) ++position_;
    }

    Json number() {
        const std::size_t begin = position_;
        accept('-');
        if (accept('0')) {
            if (at_digit()) fail_at(begin, "number with a leading zero");
        } else {
            skip_digits();
        }
        bool integer = true;
        if (accept('.')) {
            integer = false;
            skip_digits();
        }
        if (accept('e') || accept('E')) {
            integer = false;
            if (!accept('+')) accept('-');
            skip_digits();
        }
        const char* const first = text_.data() + begin;
        const char* const last = text_.data() + position_;
        std::int64_t whole = 0;
        if (integer && std::from_chars(first, last, whole).ec == std::errc()) return whole;
        double real = 0;
        if (std::from_chars(first, last, real).ec != std::errc()) {
            fail_at(begin, "number outside the range of a double");
        }
        return real;
    }

    std::string_view text_;
    std::size_t position_ = 0;
};

}  // namespace

Json parse_json(std::string_view text) { return Parser(text).document(); }

}  // namespace likely
