namespace TinyLlama;

/// <summary>
/// Llama 3's rotary angles for contexts longer than the one it was trained with: pairs that turn seldom within that context turn more slowly by the factor,
/// those that turn often stay, and those between are mixed (rope_type "llama3": transformers, modeling_rope_utils.py, _compute_llama3_parameters).
/// </summary>
internal sealed record RotaryScaling(float Factor, float FewTurns, float ManyTurns, int TrainedContext)
{
    /// <summary>The angle of a pair for one position.</summary>
    public float Scale(float angle)
    {
        float turns = TrainedContext * angle / (2 * MathF.PI);
        float kept = Math.Clamp((turns - FewTurns) / (ManyTurns - FewTurns), 0, 1);
        return kept * angle + (1 - kept) * angle / Factor;
    }
}
