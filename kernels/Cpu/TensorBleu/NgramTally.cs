using System.Numerics;
using System.Runtime.CompilerServices;
using Kernels.Core.TensorBleu;

namespace Kernels.Cpu.TensorBleu;

/// <summary>How often an n-gram occurs in the sequences counted so far.</summary>
internal unsafe struct NgramTally
{
    /// <summary>
    /// In the sequence that has most of it. For an n-gram that the index has once: the tokens of the longest run that begins with it, see
    /// <see cref="NgramRuns"/>.
    /// </summary>
    public int Most;

    private int _current, _sequence;

    /// <summary>Counts the n-grams of some sequences, found before; returns the clipped matches, those of each n-gram in the sequence that has most.</summary>
    /// <param name="rows">Where the sequences are.</param>
    /// <param name="begin">The first sequence.</param>
    /// <param name="end">Behind the last one.</param>
    /// <param name="places">The n-grams' places.</param>
    /// <param name="index">The index in which they were found.</param>
    /// <param name="tallies">One for each number of the index; zeros before.</param>
    public static long CountAll<T>(in TokenRows<T> rows, int begin, int end, in NgramPlaces places, in NgramIndex index, NgramTally* tallies)
        where T : unmanaged, IBinaryInteger<T>
    {
        long matches = 0;
        int first = 0, place = 0;
        for (int sequence = begin; sequence < end; sequence++)
        {
            int last = places.EndOf(rows, sequence, end, first, ref place);
            matches += Count(places, first, last, sequence - begin + 1, index.Limits, tallies);
            first = last;
        }
        return matches;
    }

    /// <summary>Counts the n-grams of one sequence, found before; returns by how much its matches exceed those of the sequences before it.</summary>
    /// <param name="places">The n-grams' places.</param>
    /// <param name="begin">The first of this sequence.</param>
    /// <param name="end">Behind the last of them.</param>
    /// <param name="sequence">The sequence's number, from 1, unlike those before.</param>
    /// <param name="limits">How often each n-gram may match.</param>
    /// <param name="tallies">One for each number.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static int Count(in NgramPlaces places, int begin, int end, int sequence, int* limits, NgramTally* tallies)
    {
        ulong* list = places.List;
        int matches = 0;
        for (int i = begin; i < end; i++)
        {
            int number = NgramPlaces.Number(list[i]);
            NgramTally* tally = tallies + number;
            int current = (tally->_current & -(tally->_sequence == sequence ? 1 : 0)) + 1, isMore = current > tally->Most ? 1 : 0;
            tally->_current = current;
            tally->_sequence = sequence;
            tally->Most += isMore;
            matches += isMore & (current <= limits[number] ? 1 : 0);
        }
        return matches;
    }
}
