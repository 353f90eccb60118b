namespace Kernels.Cpu.SpGemm;

/// <summary>A piece of work that a thread takes at a time: a window of rows whose output fits the scratchpad, or a stripe of columns of one long row.</summary>
/// <param name="RowBegin">The first row.</param>
/// <param name="RowEnd">The row behind the last one.</param>
/// <param name="Range">The columns.</param>
/// <param name="Bound">The most entries that can come of it.</param>
internal readonly record struct SpGemmTile(int RowBegin, int RowEnd, ColumnRange Range, long Bound);
