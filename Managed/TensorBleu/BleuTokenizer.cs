namespace Kernels;

/// <summary>How text becomes tokens. The rules are sacreBLEU's, by the same names.</summary>
public enum BleuTokenizer
{
    /// <summary><c>none</c>: split at white space.</summary>
    None,

    /// <summary><c>13a</c>: as mteval-v13a.pl, the usual one for published scores of European languages.</summary>
    Mteval13a,

    /// <summary><c>char</c>: every Unicode scalar value that is not white space.</summary>
    Character,

    /// <summary><c>intl</c>: as mteval-v14.pl, by Unicode's classes: punctuation and symbols stand alone, except punctuation between digits.</summary>
    International,
}
