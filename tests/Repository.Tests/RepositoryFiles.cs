using System.Runtime.CompilerServices;

namespace Muster.Repository.Tests;

/// <summary>The files of the repository as they stand in the checkout that the tests were built from.</summary>
internal static class RepositoryFiles
{
    private static readonly string[] Folders =
        ["src", "tests", "benches", "proto", "eng", "docs", "helm", ".ci", ".github"];

    private static readonly string[] TextExtensions =
        [".cs", ".csproj", ".props", ".targets", ".proto", ".lua", ".md", ".txt", ".json", ".yaml", ".yml", ".tpl", ".sh", ""];

    public static string Root { get; } = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(ThisFile())!, "..", ".."));

    /// <summary>Files that people write, relative to the root, with slashes; not what builds and runs leave behind.</summary>
    public static IReadOnlyList<string> All { get; } = [.. Find().Order(StringComparer.Ordinal)];

    public static IEnumerable<string> Sources(params string[] folders) =>
        All.Where(file => file.EndsWith(".cs", StringComparison.Ordinal)
            && (folders.Length == 0 || folders.Any(folder => file.StartsWith(folder + "/", StringComparison.Ordinal))));

    public static IEnumerable<string> Projects => All.Where(file => file.EndsWith(".csproj", StringComparison.Ordinal));

    public static string Read(string file) => File.ReadAllText(Path.Combine(Root, file));

    private static IEnumerable<string> Find()
    {
        var top = Directory.EnumerateFiles(Root);
        var below = Folders
            .Select(folder => Path.Combine(Root, folder))
            .Where(Directory.Exists)
            .SelectMany(folder => Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories));
        return top.Concat(below)
            .Select(file => Path.GetRelativePath(Root, file).Replace('\\', '/'))
            .Where(file => TextExtensions.Contains(Path.GetExtension(file)))
            .Where(file => file != "LICENSE" && file != ".git" && !file.StartsWith("benches/results/", StringComparison.Ordinal))
            .Where(file => !file.Contains("/bin/", StringComparison.Ordinal) && !file.Contains("/obj/", StringComparison.Ordinal));
    }

    private static string ThisFile([CallerFilePath] string path = "") => path;
}
