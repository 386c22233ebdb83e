namespace Muster.Scenarios.Tests.BadInput;

/// <summary>What <c>docs/api/errors.md</c> explains.</summary>
internal static class Catalogue
{
    private static readonly string Text = File.ReadAllText(Path.Combine(Root(), "docs", "api", "errors.md"));

    public static void AssertExplains(string reason) => Assert.Contains($"| `{reason}` |", Text, StringComparison.Ordinal);

    /// <summary>The root of the repository.</summary>
    public static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Orleans.sln")))
        {
            folder = folder.Parent ?? throw new DirectoryNotFoundException("No Orleans.sln above the tests.");
        }

        return folder.FullName;
    }
}
