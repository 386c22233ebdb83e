using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.RegularExpressions;
using Muster.Protocol.V1;

namespace Muster.Protocol.Tests;

/// <summary>docs/api/errors.md is errors.proto as a table. To write it anew, run this test with MUSTER_WRITE_DOCS=1.</summary>
public sealed partial class ErrorCatalogueTests
{
    private const string WriteVariable = "MUSTER_WRITE_DOCS";

    [Fact]
    public void Page_OfTheErrors_IsWhatTheProtoSays()
    {
        var root = Root();
        var page = Path.Combine(root, "docs", "api", "errors.md");
        var expected = Render(File.ReadAllLines(Path.Combine(root, "proto", "muster", "v1", "errors.proto")));
        if (Environment.GetEnvironmentVariable(WriteVariable) == "1")
        {
            Directory.CreateDirectory(Path.GetDirectoryName(page)!);
            File.WriteAllText(page, expected);
        }

        Assert.Equal(expected, File.ReadAllText(page));
    }

    [Fact]
    public void Reasons_OfTheProto_AllSayWhatTheyMean()
    {
        var page = Render(File.ReadAllLines(Path.Combine(Root(), "proto", "muster", "v1", "errors.proto")));

        Assert.All(
            ErrorReasonNames(),
            name => Assert.Matches($@"(?m)^\| `{name}` \| [0-9]+ \| \S.* \|$", page));
    }

    private static IEnumerable<string> ErrorReasonNames() => ErrorsReflection.Descriptor.EnumTypes
        .Single(type => type.Name == nameof(ErrorReason)).Values
        .Where(value => value.Number != 0)
        .Select(value => value.Name);

    private static string Render(string[] lines)
    {
        var page = new StringBuilder(
            """
            # Errors

            <!-- Made from proto/muster/v1/errors.proto by tests/Protocol.Tests; write it anew with MUSTER_WRITE_DOCS=1. -->

            Every refusal has a reason: `google.rpc.ErrorInfo.reason` with the domain `muster.v1` (gRPC), or
            `rejection.reason` (MQTT). Names and numbers are never removed or reused. Values that the message names are in
            the metadata too.

            """);
        var comment = new List<string>();
        var values = lines.SkipWhile(line => !line.StartsWith("enum ErrorReason", StringComparison.Ordinal));
        foreach (var line in values.Select(line => line.Trim()))
        {
            if (SectionForm().Match(line) is { Success: true } section)
            {
                page.Append(CultureInfo.InvariantCulture, $"\n## {section.Groups[1].Value}\n\n");
                page.Append("| Reason | Number | Meaning |\n|---|---|---|\n");
            }
            else if (line.StartsWith("//", StringComparison.Ordinal))
            {
                comment.Add(line[2..].Trim());
                continue;
            }
            else if (ValueForm().Match(line) is { Success: true } value && value.Groups[2].Value != "0")
            {
                var (name, number) = (value.Groups[1].Value, value.Groups[2].Value);
                page.Append(CultureInfo.InvariantCulture, $"| `{name}` | {number} | {string.Join(' ', comment)} |\n");
            }

            comment.Clear();
        }

        return page.ToString();
    }

    private static string Root([CallerFilePath] string file = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(file)!, "..", ".."));

    [GeneratedRegex("^// --- (.+) ---$")]
    private static partial Regex SectionForm();

    [GeneratedRegex("^([A-Z_0-9]+) = ([0-9]+);$")]
    private static partial Regex ValueForm();
}
