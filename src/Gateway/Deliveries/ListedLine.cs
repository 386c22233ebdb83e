using System.Collections.Immutable;
using Muster.Domain.Deliveries;

namespace Muster.Gateway.Deliveries;

/// <summary>The bytes of a list as they come, at most a chunk at a time; empty at its end.</summary>
internal delegate ValueTask<ReadOnlyMemory<byte>> NextChunk(CancellationToken cancellationToken);

/// <summary>One line of a list, or one object of it.</summary>
/// <param name="Line">Where it begins in the file, from 1.</param>
/// <param name="Values">What it says; empty when it could not be read.</param>
/// <param name="Problems">Why it could not be read; empty when it could.</param>
internal readonly record struct ListedLine(int Line, DeliveryLine Values, ImmutableArray<LineProblem> Problems)
{
    /// <summary>
    /// Far more than the longest values need together, and what a mark that is missing can cost: no more than this is held to find the end
    /// of a line.
    /// </summary>
    public const int LengthMax = 4096;

    public static ListedLine Of(int line, DeliveryLine values) => new(line, values, []);

    public static ListedLine Unreadable(int line, string why) => new(line, DeliveryLine.Empty, [new LineProblem("", why)]);
}
