using System.CommandLine;

namespace Muster.Cli.Session;

/// <summary>Options that several verbs have.</summary>
internal static class VerbOptions
{
    public const string Json = "json";

    public const string Table = "table";

    /// <summary>Of every command.</summary>
    public static Option<string?> Profile { get; } = new("--profile")
    {
        Description = "The folder with key, certificate and server of the operator. Default: $MUSTER_PROFILE, else ~/.muster.",
        HelpName = "DIR",
        Recursive = true,
    };

    /// <summary>Of every command.</summary>
    public static Option<string?> Tenant { get; } = new("--tenant")
    {
        Description = "The tenant that short names are of. Default: the profile's.",
        HelpName = "TENANT",
        Recursive = true,
    };

    /// <summary>Of every command.</summary>
    public static Option<string> Output { get; } = CreateOutput();

    /// <summary>What a filter looks like, in one sentence.</summary>
    public const string FilterLanguage =
        "FIELD OP VALUE with = != < <= > >= or : (contains), joined by AND, OR, NOT and parentheses; * in a text stands for anything.";

    public static Option<string> Filter(string fields) => new("--filter")
    {
        Description = $"{FilterLanguage} Fields: {fields}.",
        HelpName = "FILTER",
        DefaultValueFactory = _ => "",
    };

    public static Option<int> Limit()
    {
        var option = new Option<int>("--limit")
        {
            Description = "At most so many; 0 for all.",
            HelpName = "N",
            DefaultValueFactory = _ => 0,
        };
        option.Validators.Add(result =>
        {
            if (result.Tokens.Count > 0 && int.TryParse(result.Tokens[0].Value, out var limit) && limit < 0)
            {
                result.AddError("--limit is a number of items, 0 for all.");
            }
        });
        return option;
    }

    public static Option<string?> RequestId() => new("--request-id")
    {
        Description = "Repeat a creation under the same id: it is done once. Default: a new one.",
        HelpName = "ID",
    };

    /// <summary>The id given, or a new one.</summary>
    public static string RequestIdOf(this ParseResult parsed, Option<string?> option) =>
        parsed.GetValue(option) ?? Guid.NewGuid().ToString("N");

    public static Option<string> Reason(string description) => new("--reason")
    {
        Description = description,
        HelpName = "TEXT",
        DefaultValueFactory = _ => "",
    };

    /// <summary>What an approver has looked at.</summary>
    public static Option<string> Certificate(bool isRequired) => new("--certificate")
    {
        Description = "The SHA-256 of the certificate that you have seen: when the device shows another by now, nothing is approved.",
        HelpName = "SHA256",
        Required = isRequired,
    };

    public static Argument<string> Name(string name, string description) => new(name) { Description = description };

    private static Option<string> CreateOutput()
    {
        var option = new Option<string>("--output", "-o")
        {
            Description = "table for people; json for scripts: protobuf JSON, one object per line.",
            Recursive = true,
            DefaultValueFactory = _ => Table,
        };
        option.AcceptOnlyFromAmong(Table, Json);
        return option;
    }
}
