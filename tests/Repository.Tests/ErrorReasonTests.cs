using System.Text.RegularExpressions;

namespace Muster.Repository.Tests;

/// <summary>A reason that the code gives is in errors.proto, which is where callers look it up.</summary>
public sealed partial class ErrorReasonTests
{
    [Fact]
    public void Reasons_GivenInTheSources_AreInTheProto()
    {
        var known = ProtoValue().Matches(RepositoryFiles.Read("proto/muster/v1/errors.proto"))
            .Select(match => match.Groups[1].Value)
            .ToHashSet(StringComparer.Ordinal);
        var given =
            (from file in RepositoryFiles.Sources("src")
             let text = RepositoryFiles.Read(file)
             from match in Literal().Matches(text).Concat(Constant().Matches(text))
             select (Reason: match.Groups[1].Value, File: file)).ToArray();

        Assert.NotEmpty(known);
        Assert.NotEmpty(given);
        Assert.Empty(given.Where(use => !known.Contains(use.Reason)).Select(use => $"{use.Reason} in {use.File}"));
    }

    [GeneratedRegex(@"^\s+([A-Z][A-Z0-9_]*) = [0-9]+;", RegexOptions.Multiline)]
    private static partial Regex ProtoValue();

    [GeneratedRegex("""FleetError\.Of\(\s*[^,()"]+,\s*"([A-Z][A-Z0-9_]*)""")]
    private static partial Regex Literal();

    [GeneratedRegex("""const string \w*Reason = "([A-Z][A-Z0-9_]*)";""")]
    private static partial Regex Constant();
}
