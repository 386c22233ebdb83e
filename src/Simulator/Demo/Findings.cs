namespace Muster.Simulator.Demo;

/// <summary>What was required and not found. Each violation begins with the name of the check that it failed.</summary>
internal sealed class Findings(IStage stage)
{
    private const int NamesMax = 3;

    private readonly List<string> _violations = [];

    public IReadOnlyList<string> Violations => _violations;

    public void Add(string check, string what)
    {
        _violations.Add($"{check}: {what}");
        stage.Tell($"VIOLATION {check}: {what}");
    }

    public void Require(string check, string what, long expected, long actual)
    {
        stage.Tell($"{what}: {actual} of {expected}");
        if (expected != actual)
        {
            Add(check, $"{what}: {actual} instead of {expected}");
        }
    }

    /// <summary>Nothing may be in the list; the first few are named.</summary>
    public void RequireNone(string check, string what, IReadOnlyCollection<string> found)
    {
        if (found.Count > 0)
        {
            var more = found.Count > NamesMax ? $" and {found.Count - NamesMax} more" : "";
            Add(check, $"{what}: {string.Join(", ", found.Order(StringComparer.Ordinal).Take(NamesMax))}{more}");
        }
    }
}
