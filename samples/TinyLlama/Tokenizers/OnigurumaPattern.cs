using System.Globalization;
using System.Text;

namespace TinyLlama;

/// <summary>
/// Patterns of Hugging Face's tokenizers, which are Oniguruma's in Ruby's syntax, in .NET's: possessive repeats become atomic groups, sets within sets their
/// union, ^ and $ hold at every line, \h is a hexadecimal digit. What would mean something else, or nothing, in .NET is refused.
/// </summary>
/// <remarks>
/// A text is matched with one char for each code point, where those beyond 16 bits have the likeness of their category: patterns that name such characters, or
/// their likenesses, are refused.
/// </remarks>
internal sealed class OnigurumaPattern
{
    private const string SameEscapes = "tnrfvaedDsSwWbBAzZG", Quoted = ".*?+^$|\\()[]{}-/'\"#&~,:;<>=!@%` _", HexDigits = "0-9a-fA-F";

    private readonly string _pattern;
    private readonly StringBuilder _net = new();
    private readonly Stack<int> _groups = new();
    private int _at, _atom = -1;

    private OnigurumaPattern(string pattern) => _pattern = pattern;

    /// <summary>The same pattern for .NET.</summary>
    /// <exception cref="NotSupportedException">It has what is not known here; the message says where.</exception>
    public static string Translate(string pattern)
    {
        var translation = new OnigurumaPattern(pattern);
        while (translation._at < pattern.Length)
            translation.Take();
        return translation._net.ToString();
    }

    private char Peek(int ahead = 0) => _at + ahead < _pattern.Length ? _pattern[_at + ahead] : '\0';

    private void Take()
    {
        char letter = _pattern[_at];
        switch (letter)
        {
            case '(':
                _groups.Push(_net.Length);
                TakeGroup();
                _atom = -1;
                break;
            case ')':
                Append(")", _groups.TryPop(out int start) ? start : throw Unknown("a ')' that closes nothing"), taken: 1);
                break;
            case '[':
                int begin = _net.Length;
                _net.Append('[');
                _at++;
                TakeSet(isInner: false);
                _net.Append(']');
                _atom = begin;
                break;
            case '*' or '+' or '?' or '{':
                TakeRepeat();
                break;
            case '|':
                Append("|", -1, taken: 1);
                break;
            case '^':
                Append(@"(?<![^\n])", _net.Length, taken: 1);
                break;
            case '$':
                Append(@"(?![^\n])", _net.Length, taken: 1);
                break;
            case '\\':
                string escape = TakeEscape(isInSet: false);
                Append(escape, _net.Length, taken: 0);
                break;
            case '#' or ' ' or '.':
                Append(letter.ToString(), _net.Length, taken: 1);
                break;
            default:
                Append(Checked(letter, letter), _net.Length, taken: 1);
                break;
        }
    }

    // (?:, (?=, (?!, (?<=, (?<!, (?>, (?i: and (?i) are the same in both.
    private void TakeGroup()
    {
        string[] known = ["(?:", "(?=", "(?!", "(?<=", "(?<!", "(?>", "(?i:", "(?i)", "(?-i:", "(?-i)"];
        string? opening = Peek(1) != '?' ? "(" : Array.Find(known, candidate => _pattern.AsSpan(_at).StartsWith(candidate, StringComparison.Ordinal));
        if (opening is null)
            throw Unknown("a group of this kind");
        if (opening.EndsWith(')'))
            _groups.Pop();
        _net.Append(opening);
        _at += opening.Length;
    }

    private void TakeRepeat()
    {
        int begin = _at;
        if (Peek() == '{')
        {
            int close = _pattern.IndexOf('}', _at);
            string[] counts = close < 0 ? [] : _pattern[(_at + 1)..close].Split(',');
            if (counts is not ([_] or [_, _]) || counts[0].Length == 0 || !counts.All(count => count.All(char.IsAsciiDigit)))
                throw Unknown("a '{' that begins no repeat");
            _at = close + 1;
        }
        else
        {
            _at++;
        }
        if (_atom < 0)
            throw Unknown("a repeat of nothing");
        string repeat = _pattern[begin.._at];
        if (Peek() == '?')
            repeat += _pattern[_at++];
        bool isPossessive = Peek() == '+' && repeat.Length == 1;
        if (isPossessive)
            _at++;
        if (Peek() is '*' or '+' or '?' or '{')
            throw Unknown("a repeat of a repeat");
        if (isPossessive)
            _net.Insert(_atom, "(?>");
        _net.Append(repeat);
        if (isPossessive)
            _net.Append(')');
        _atom = -1;
    }

    // What stands between brackets; sets within are their elements.
    private void TakeSet(bool isInner)
    {
        if (Peek() == '^')
        {
            if (isInner)
                throw Unknown("a negated set within a set");
            _net.Append('^');
            _at++;
        }
        bool isEmpty = true;
        for (; Peek() != ']'; isEmpty = false)
        {
            if (_at >= _pattern.Length)
                throw Unknown("a set without an end");
            if (Peek() == '&' && Peek(1) == '&')
                throw Unknown("an intersection of sets");
            if (Peek() == '[')
            {
                if (Peek(1) == ':')
                    throw Unknown("a named set");
                _at++;
                TakeSet(isInner: true);
                continue;
            }
            TakeElement();
        }
        if (isEmpty)
            throw Unknown("an empty set");
        _at++;
    }

    private void TakeElement()
    {
        string first = TakeOne(out char from);
        if (Peek() != '-' || Peek(1) is ']' or '[' || from == '\0')
        {
            _net.Append(first);
            return;
        }
        _at++;
        string last = TakeOne(out char to);
        if (to == '\0' || to < from)
            throw Unknown("a range without an end");
        Checked(from, to);
        _net.Append(first).Append('-').Append(last);
    }

    // One character of a set, or \0 for a class.
    private string TakeOne(out char character)
    {
        if (Peek() == '\\')
        {
            string escape = TakeEscape(isInSet: true);
            character = escape switch
            {
                [var only] => only,
                ['\\', 'u', ..] =>
                (char)int.Parse(escape[2..], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture),
                ['\\', var same] => OfEscape(same),
                _ => '\0'
            };
            return escape;
        }
        character = _pattern[_at++];
        string text = Checked(character, character);
        return character is '[' or ']' or '\\' or '^' or '-' ? $@"\{character}" : text;
    }

    private static char OfEscape(char escape) => escape switch
    {
        't' => '\t',
        'n' => '\n',
        'r' => '\r',
        'f' => '\f',
        'v' => '\v',
        'a' => '\a',
        'e' => '\e',
        _
        when char.IsAsciiLetter(escape) => '\0',
        _ => escape
    };

    private string TakeEscape(bool isInSet)
    {
        char kind = Peek(1);
        _at += 2;
        switch (kind)
        {
            case 'h':
                return isInSet ? HexDigits : $"[{HexDigits}]";
            case 'H' when !isInSet:
                return $"[^{HexDigits}]";
            case 'p' or 'P':
                return TakeProperty(kind);
            case 'x' or 'u':
                return TakeNumber(kind);
            case var same when SameEscapes.Contains(same, StringComparison.Ordinal) && !(isInSet && "bBAzZG".Contains(same, StringComparison.Ordinal)):
                // Ruby's \Z allows one line feed behind it, and so does .NET's.
                return $@"\{same}";
            case var quoted when Quoted.Contains(quoted, StringComparison.Ordinal):
                return quoted is ' ' or '_' or '"' or '\'' or '/' or '&' or '~' or ',' or ':' or ';' or '<' or '>' or '=' or '!' or '@' or '%' or '`'
                    ? quoted.ToString() : $@"\{quoted}";
            default:
                throw Unknown($@"\{kind}");
        }
    }

    // \p{Lu}, \P{Lu}, \p{^Lu}: general categories, which are named alike.
    private string TakeProperty(char kind)
    {
        int close = Peek() == '{' ? _pattern.IndexOf('}', _at) : -1;
        if (close < 0)
            throw Unknown($@"\{kind} without braces");
        string name = _pattern[(_at + 1)..close];
        bool isNegated = name.StartsWith('^');
        name = name.TrimStart('^');
        string[] categories = ["L", "Lu", "Ll", "Lt", "Lm", "Lo", "M", "Mn", "Mc", "Me", "N", "Nd", "Nl", "No", "Z", "Zs", "Zl", "Zp", "C", "Cc", "Cf", "Co",
            "Cn", "P", "Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po", "S", "Sm", "Sc", "Sk", "So"];
        if (!categories.Contains(name))
            throw Unknown($@"the property '{name}'");
        _at = close + 1;
        return (kind == 'P') ^ isNegated ? $@"\P{{{name}}}" : $@"\p{{{name}}}";
    }

    // \x41, \x{41}, \u0041
    private string TakeNumber(char kind)
    {
        int close = kind == 'x' && Peek() == '{' ? _pattern.IndexOf('}', _at) : -1, digits = kind == 'x' ? 2 : 4;
        string number = close >= 0 ? _pattern[(_at + 1)..close] : _at + digits <= _pattern.Length ? _pattern.Substring(_at, digits) : "";
        if (!int.TryParse(number, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out int value)
            || (kind == 'x' && close < 0 && value > sbyte.MaxValue))
            throw Unknown($@"\{kind}{number}");
        if (value > char.MaxValue)
            throw Unknown("a character beyond 16 bits");
        Checked((char)value, (char)value);
        _at = close >= 0 ? close + 1 : _at + digits;
        return $@"\u{value:X4}";
    }

    private string Checked(char from, char to)
    {
        if (char.IsSurrogate(from) || char.IsSurrogate(to))
            throw Unknown("a character beyond 16 bits");
        if (ByteText.HasLikeness(from, to))
            throw Unknown($"U+{(int)from:X4} to U+{(int)to:X4}, where characters beyond 16 bits have their likeness,");
        return from.ToString();
    }

    private void Append(string text, int atom, int taken)
    {
        _net.Append(text);
        _atom = atom;
        _at += taken;
    }

    private NotSupportedException Unknown(string what) => new($"{what} is not known here, at character {_at} of {_pattern}");
}
