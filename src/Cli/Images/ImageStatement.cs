using System.CommandLine;
using Google.Protobuf;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Images;

/// <summary>
/// What the publisher states of an image: a file with the fields of the API's Image in JSON, options, or both; an option replaces what the
/// file says.
/// </summary>
internal sealed class ImageStatement
{
    /// <summary>Far more than all fields at their limits.</summary>
    private const int FileBytesMax = 256 * 1024;

    private readonly Option<FileInfo?> _file = new("--statement")
    {
        Description = "A JSON file with the fields of an image: version, track, models, releasedOn, notes, fixedVulnerabilities, "
            + "minFromVersion, requiredSteps, securityFloor, sbom, supportedFrom, supportedUntil.",
    };

    private readonly Option<string?> _version = new("--version") { Description = "For example 12.11.77." };

    private readonly Option<string?> _track = new("--track") { Description = "active, or a long-term-support line such as 12.11." };

    private readonly Option<string[]> _models = Several("--model", "A model that it is for; several are possible.");

    private readonly Option<string?> _released = Day("--released-on", "The day of the release");

    private readonly Option<string?> _notes = new("--notes") { Description = "Release notes.", HelpName = "TEXT" };

    private readonly Option<string[]> _fixes =
        Several("--fixes", "A vulnerability that it fixes, such as CVE-2025-9524; several are possible.");

    private readonly Option<string?> _minFrom = new("--min-from")
    {
        Description = "The lowest version that it can be installed over.",
        HelpName = "VERSION",
    };

    private readonly Option<string[]> _steps =
        Several("--step", "A version that older devices have to run first; several, ascending, are possible.");

    private readonly Option<string?> _floor = new("--security-floor")
    {
        Description = "The version below which a device that ran this image never goes again.",
        HelpName = "VERSION",
    };

    private readonly Option<string?> _sbom = new("--sbom")
    {
        Description = "Its bill of materials: an https address, or sha256: and its digest.",
        HelpName = "REFERENCE",
    };

    private readonly Option<string?> _from = Day("--supported-from", "The first day of support of its long-term-support line");

    private readonly Option<string?> _until = Day("--supported-until", "The last day of support of its long-term-support line");

    public Command AddTo(Command command)
    {
        Option[] options =
        [
            _file, _version, _track, _models, _released, _notes, _fixes, _minFrom, _steps, _floor, _sbom, _from, _until,
        ];
        Array.ForEach(options, command.Add);
        return command;
    }

    public async Task<V1.Image> ReadAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var image = parsed.GetValue(_file) is { } file ? await ReadFileAsync(file, cancellationToken) : new V1.Image();
        image.Version = parsed.GetValue(_version) ?? image.Version;
        image.Track = parsed.GetValue(_track) ?? image.Track;
        image.ReleasedOn = parsed.GetValue(_released) ?? image.ReleasedOn;
        image.Notes = parsed.GetValue(_notes) ?? image.Notes;
        image.MinFromVersion = parsed.GetValue(_minFrom) ?? image.MinFromVersion;
        image.SecurityFloor = parsed.GetValue(_floor) ?? image.SecurityFloor;
        image.Sbom = parsed.GetValue(_sbom) ?? image.Sbom;
        image.SupportedFrom = parsed.GetValue(_from) ?? image.SupportedFrom;
        image.SupportedUntil = parsed.GetValue(_until) ?? image.SupportedUntil;
        Replace(image.Models, parsed.GetValue(_models));
        Replace(image.FixedVulnerabilities, parsed.GetValue(_fixes));
        Replace(image.RequiredSteps, parsed.GetValue(_steps));
        return image is { Version.Length: > 0, Track.Length: > 0, Models.Count: > 0 }
            ? image
            : throw new UsageException("An image needs --version, --track and --model, or a --statement that has them.");
    }

    private static async Task<V1.Image> ReadFileAsync(FileInfo file, CancellationToken cancellationToken)
    {
        await using var content = UploadedFile.Open(file);
        if (content.Length > FileBytesMax)
        {
            throw new UsageException($"'{file.FullName}' is larger than a statement can be: {FileBytesMax} bytes.");
        }

        using var reader = new StreamReader(content);
        try
        {
            return V1.Image.Parser.ParseJson(await reader.ReadToEndAsync(cancellationToken));
        }
        catch (Exception fault) when (fault is InvalidProtocolBufferException or InvalidJsonException)
        {
            throw new UsageException($"'{file.FullName}' is not the statement of an image: {fault.Message}");
        }
    }

    private static void Replace(Google.Protobuf.Collections.RepeatedField<string> field, string[]? values)
    {
        if (values is { Length: > 0 })
        {
            field.Clear();
            field.AddRange(values);
        }
    }

    private static Option<string[]> Several(string name, string description) =>
        new(name) { Description = description, AllowMultipleArgumentsPerToken = true };

    private static Option<string?> Day(string name, string what) => new(name) { Description = $"{what}, as 2026-09-01.", HelpName = "DAY" };
}
