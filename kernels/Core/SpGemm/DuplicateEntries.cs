namespace Kernels;

/// <summary>What becomes of several entries at one place when a matrix is made of coordinates.</summary>
public enum DuplicateEntries
{
    /// <summary>They are added, in the order given.</summary>
    Sum,

    /// <summary>They are an error.</summary>
    Refuse,

    /// <summary>They stay, in the order given; the matrix is then not canonical.</summary>
    Keep,
}
