namespace Muster.Contracts.Tests;

/// <summary>A file of the repository that a test compares with what the code says.</summary>
internal static class GoldenFile
{
    public static string Read(string file) => File.ReadAllText(PathOf(file));

    public static void AssertSame(string file, string expected)
    {
        if (Environment.GetEnvironmentVariable("MUSTER_WRITE_DOCS") == "1")
        {
            File.WriteAllText(PathOf(file), expected);
        }

        Assert.True(
            File.Exists(PathOf(file)) && Read(file) == expected,
            $"{file} differs from the code. If the change is meant, and no id was renumbered or reused, run with MUSTER_WRITE_DOCS=1.");
    }

    private static string PathOf(string file)
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Orleans.sln")))
        {
            folder = folder.Parent ?? throw new DirectoryNotFoundException("No Orleans.sln above the tests.");
        }

        return Path.Combine(folder.FullName, file);
    }
}
