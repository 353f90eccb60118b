namespace Kernels;

/// <summary>
/// How n-gram orders without a match enter the score, and by whose formula the rest of the score is computed. m_n is the number of clipped matches of order
/// n, t_n the number of the candidate's n-grams, p_n = m_n / t_n.
/// </summary>
/// <remarks>
/// The first four are sacreBLEU's: a score is 0 if nothing matched at all, and orders from the first with t_n = 0 on have precision 0, which makes the score
/// 0 unless <see cref="BleuOptions.EffectiveOrder"/> leaves them out. Those named Nltk are the methods 0 to 7 of NLTK's <c>SmoothingFunction</c>: a score is
/// 0 if no unigram matched, t_n is at least 1 for each sentence, and orders whose p_n is not above 0 after smoothing are left out of the mean. Chen and
/// Cherry, "A Systematic Comparison of Smoothing Techniques for Sentence-Level BLEU", WMT 2014, compares them.
/// </remarks>
public enum BleuSmoothing
{
    /// <summary>1 / (2^k t_n) for the k-th order without a match: NIST's, and sacreBLEU's default (<c>exp</c>).</summary>
    Exponential,

    /// <summary>Nothing: one order without a match makes the score 0 (sacreBLEU's <c>none</c>).</summary>
    None,

    /// <summary>value / t_n for an order without a match; value 0.1 by default (sacreBLEU's <c>floor</c>).</summary>
    Floor,

    /// <summary>(m_n + value) / (t_n + value) for every order above 1; value 1 by default (sacreBLEU's <c>add-k</c>).</summary>
    AddK,

    /// <summary>The smallest normal double, 2.2e-308, for an order without a match: next to 0 without being 0.</summary>
    NltkMethod0,

    /// <summary>value / t_n for an order without a match; value 0.1 by default (epsilon).</summary>
    NltkMethod1,

    /// <summary>(m_n + 1) / (t_n + 1) for every order above 1.</summary>
    NltkMethod2,

    /// <summary>1 / (2^k t_n) for the k-th order without a match.</summary>
    NltkMethod3,

    /// <summary>
    /// 1 / (2^k value / ln(length)) / t_n for the k-th order without a match, if the candidate has two tokens or more; value 5 by default (k).
    /// </summary>
    NltkMethod4,

    /// <summary>p'_n = (p'_(n-1) + p_n + p_(n+1)) / 3 with p'_0 = p_1 + 1; behind the last order stands p_5, whatever the last order. Can exceed 1.</summary>
    NltkMethod5,

    /// <summary>
    /// (m_n + value q) / (t_n + value) with q = p_(n-1)^2 / p_(n-2) for every order above 2; value 5 by default (alpha). Not defined where no trigram
    /// matched: NLTK fails there, here the score is NaN. Needs <see cref="BleuOptions.MaxOrder"/> of at least 3.
    /// </summary>
    NltkMethod6,

    /// <summary>Method 4, then method 5. Can exceed 1.</summary>
    NltkMethod7,
}
