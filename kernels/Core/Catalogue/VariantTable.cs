namespace Kernels.Core.Catalogue;

/// <summary>One row of a <see cref="VariantTable{TBackend}"/>: what the catalogue says of a variant, and the object that runs it.</summary>
internal readonly record struct VariantEntry<TBackend>(KernelVariant Variant, TBackend Backend) where TBackend : class;

/// <summary>
/// The variants of one operation for one element type, best first; dispatch is a walk down this table. What it does not list, the operation refuses.
/// </summary>
internal sealed class VariantTable<TBackend> where TBackend : class
{
    private readonly VariantEntry<TBackend>[] _entries;
    private readonly VariantEntry<TBackend>? _forced;
    private readonly string _prefix;

    /// <param name="entries">Best first; all of one family and one element type.</param>
    /// <param name="forcedIdentities">The value of <c>KERNELS_FORCE</c>: identities separated by commas, of which at most one belongs here.</param>
    /// <param name="operation">The operation's word behind the family's, where the family has tables for several.</param>
    /// <param name="family">The variants of the family's other operations: what is forced among them does not concern this one.</param>
    public VariantTable(IEnumerable<VariantEntry<TBackend>> entries, string? forcedIdentities, string operation = "", IEnumerable<KernelVariant>? family = null)
    {
        _entries = [.. entries];
        KernelVariant first = _entries[0].Variant;
        _prefix = $"{first.Family}/{first.Types}/";
        Operation = operation.Length == 0 ? first.Family : $"{first.Family}.{operation}";
        foreach (string identity in ForcedVariants.Split(forcedIdentities))
        {
            if (!identity.StartsWith(_prefix, StringComparison.Ordinal))
                continue;
            if (_forced is { } other && other.Variant.Identity != identity)
                throw new ArgumentException($"'{other.Variant.Identity}' and '{identity}' cannot both be forced", ForcedVariants.EnvironmentName);
            if (!_entries.Any(entry => entry.Variant.Identity == identity) && family is not null && family.Any(variant => variant.Identity == identity))
                continue;
            _forced = Find(identity, ForcedVariants.EnvironmentName);
        }
    }

    public ReadOnlySpan<VariantEntry<TBackend>> Entries => _entries;

    /// <summary>The family's word, with the operation's behind it where the family has tables for several.</summary>
    public string Operation { get; }

    public IEnumerable<KernelVariant> Variants => _entries.Select(entry => entry.Variant);

    /// <summary>The entry to run: the option's, else the forced one, else the first available one.</summary>
    /// <exception cref="ArgumentException">The option names a variant that is not in this table.</exception>
    /// <exception cref="PlatformNotSupportedException">The machine cannot run the variant asked for.</exception>
    public TBackend Select(in KernelOptions options)
    {
        if (options.Variant is { } identity)
            return Demand(Find(identity, nameof(KernelOptions.Variant)), nameof(KernelOptions.Variant), options.AllowEmulation);
        if (_forced is { } forced)
            return Demand(forced, ForcedVariants.EnvironmentName, options.AllowEmulation);
        return Best.Backend;
    }

    /// <summary>The entry that runs when nothing is asked for. Every table ends in a scalar variant, which any machine can run.</summary>
    public VariantEntry<TBackend> Best
    {
        get
        {
            foreach (ref readonly VariantEntry<TBackend> entry in _entries.AsSpan())
            {
                if (entry.Variant.Availability == VariantAvailability.Available)
                    return entry;
            }
            throw new PlatformNotSupportedException($"No variant of {_prefix} can run on this machine.");
        }
    }

    /// <summary>The entry that default options lead to: the forced one, if any, or the best.</summary>
    public KernelVariant Chosen => (_forced ?? Best).Variant;

    private VariantEntry<TBackend> Find(string identity, string source)
    {
        foreach (ref readonly VariantEntry<TBackend> entry in _entries.AsSpan())
        {
            if (entry.Variant.Identity == identity)
                return entry;
        }
        throw new ArgumentException(
            $"'{identity}' names no variant of {Operation} ({_entries[0].Variant.Types}); there are " +
            $"{string.Join(", ", _entries.Select(e => e.Variant.Identity))}.", source);
    }

    private static TBackend Demand(in VariantEntry<TBackend> entry, string source, bool allowEmulation)
    {
        bool runnable = entry.Variant.Availability == VariantAvailability.Available
            || (allowEmulation && entry.Variant.Availability == VariantAvailability.Emulated);
        return runnable
            ? entry.Backend
            : throw new PlatformNotSupportedException($"{source} asks for {entry.Variant.Identity}, which this machine cannot run: {entry.Variant.Reason}.");
    }
}
