namespace Muster.Load.Figures;

/// <summary>What a process told round by round, as <c>name_0</c>, <c>name_1</c> and so on.</summary>
internal static class Rounds
{
    public static double[] Of(Dictionary<string, double> told, string name) =>
        [.. told.Where(line => line.Key.StartsWith(name + "_", StringComparison.Ordinal)).OrderBy(line => line.Key, StringComparer.Ordinal)
            .Select(line => line.Value)];

    /// <summary>The median of the rounds' own ratios: what disturbs a round disturbs both of its visits.</summary>
    public static double Ratio(Dictionary<string, double> told, string above, string below) =>
        Median([.. Of(told, above).Zip(Of(told, below), (left, right) => left / right)]);

    public static double Median(double[] values) => values.Order().ElementAt(values.Length / 2);
}
