namespace Kernels;

/// <summary>How many columns and diagonals a head's pattern has (MInference).</summary>
/// <param name="Verticals">Key columns; more than there are means all.</param>
/// <param name="Slashes">Diagonals; more than there are means all.</param>
public readonly record struct VerticalSlashCounts(int Verticals, int Slashes);
