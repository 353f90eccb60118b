namespace Kernels.Core.SpGemm;

/// <summary>The value of an entry of which only the place matters.</summary>
internal readonly struct NoValue : IEquatable<NoValue>
{
    public bool Equals(NoValue other) => true;

    public override bool Equals(object? obj) => obj is NoValue;

    public override int GetHashCode() => 0;
}

/// <summary>Products of patterns.</summary>
internal readonly struct PatternSemiring : ISemiring<NoValue>
{
    public static NoValue Zero => default;

    public static NoValue Add(NoValue sum, NoValue product) => default;

    public static NoValue Multiply(NoValue left, NoValue right) => default;
}
