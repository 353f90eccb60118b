namespace Kernels.Cpu.SpGemm;

/// <summary>What is known of a slot while a row is computed; between rows all are empty.</summary>
internal static class SlotState
{
    /// <summary>No sum yet.</summary>
    public const byte Empty = 0;

    /// <summary>Holds a sum.</summary>
    public const byte Filled = 1;

    /// <summary>The mask allows this column, and there is no sum yet.</summary>
    public const byte Open = 2;

    /// <summary>The complemented mask takes this column out.</summary>
    public const byte Blocked = 3;
}
