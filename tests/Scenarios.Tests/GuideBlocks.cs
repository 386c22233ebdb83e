using Muster.Scenarios.Tests.BadInput;

namespace Muster.Scenarios.Tests;

/// <summary>The commands of a guide, as they stand there: whoever follows it copies them.</summary>
internal static class GuideBlocks
{
    private const string Begin = "```sh\n";
    private const string End = "```";

    /// <summary>The <c>sh</c> blocks of a file of docs/developer, in order.</summary>
    public static string[] OfFile(string name) => Of(File.ReadAllText(Path.Combine(Catalogue.Root(), "docs", "developer", name)));

    /// <summary>The <c>sh</c> blocks of a text, in order.</summary>
    public static string[] Of(string text) =>
        [.. text.Split(Begin).Skip(1).Select(part => part[..part.IndexOf(End, StringComparison.Ordinal)])];
}
