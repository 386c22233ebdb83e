using System.CommandLine;
using Muster.Cli.Devices;
using Muster.Cli.Images;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Rollouts;

/// <summary>What a rollout changes: an image, or settings.</summary>
internal static class ChangeOptions
{
    public static readonly Option<string?> Image = new("--image")
    {
        Description = "The digest of the image. Either this or --set.",
        HelpName = "DIGEST",
    };

    public static readonly Option<string[]> Settings = EditDevices.Labels(
        "--set",
        "A setting that devices are to have, under the name that they report it by; several are possible. Viewers read it: no passwords.");

    public static void AddTo(Command command)
    {
        command.Add(Image);
        command.Add(Settings);
        command.Validators.Add(result =>
        {
            if (result.GetResult(Image) is null == result.GetResult(Settings) is null)
            {
                result.AddError("Either --image or --set.");
            }
        });
    }

    public static void Read(FleetSession session, ParseResult parsed, V1.Rollout rollout)
    {
        if (parsed.GetValue(Image) is { } image)
        {
            rollout.Image = session.NameOf(ImageColumns.Collection, image);
        }

        // A name that is given twice is the server's to refuse: whoever wrote it meant one of the two.
        rollout.Settings.AddRange((parsed.GetValue(Settings) ?? []).Select(Parse));
    }

    private static V1.Setting Parse(string text)
    {
        var equals = text.IndexOf('=', StringComparison.Ordinal);
        return new V1.Setting { Name = text[..equals], Value = text[(equals + 1)..] };
    }
}
