using System.Buffers;
using System.Collections.Immutable;
using System.Text;
using Google.Protobuf;
using Muster.Contracts.Devices;
using Muster.Domain.Devices;
using Muster.Domain.Identity;
using Muster.Domain.Rollouts;
using Wire = Muster.Protocol.Device.V1;

namespace Muster.Gateway.Devices;

/// <summary>
/// The one place where what devices say becomes commands: proto (JSON or binary) to contract, with every length and range
/// checked. The payload is read where it lies.
/// </summary>
internal static class UpMessageReader
{
    /// <summary>A boot id is a UUID or a hash; twice that is generous.</summary>
    public const int BootIdLengthMax = 64;

    public const int NameLengthMax = 100;

    public const int VersionLengthMax = 64;

    /// <summary>Words for people: one line.</summary>
    public const int ReasonLengthMax = 200;

    public const int SettingNameLengthMax = SettingRules.NameCharactersMax;

    public const int SettingValueLengthMax = SettingRules.ValueCharactersMax;

    /// <summary>Policies ask for a few dozen of a camera's thousands; 500 keep the record's cold part below 100 kB.</summary>
    public const int SettingsMax = 500;

    /// <summary>An RSA-8192 signature has 1,024 bytes.</summary>
    public const int ProofBytesMax = 1024;

    /// <summary>The deepest message has three levels.</summary>
    private const int JsonDepthMax = 8;

    private static readonly JsonParser Json = new(new JsonParser.Settings(JsonDepthMax));

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public static UpMessage Read(UpKind kind, in ReadOnlySequence<byte> payload, DeviceIdentity identity, SessionRef session)
    {
        var form = !payload.IsEmpty && payload.FirstSpan[0] == (byte)'{' ? PayloadForm.Json : PayloadForm.Binary;
        try
        {
            return kind switch
            {
                UpKind.Hello => ReadHello(Parse(Wire.Hello.Parser, form, payload), form, identity, session),
                UpKind.Status => ReadStatus(Parse(Wire.Status.Parser, form, payload), form, identity, session),
                UpKind.Report => ReadReport(Parse(Wire.Report.Parser, form, payload), form, identity, session),
                UpKind.Inventory => ReadInventory(Parse(Wire.Inventory.Parser, form, payload), form, identity, session),
                UpKind.Result => ReadResult(Parse(Wire.Result.Parser, form, payload), form, identity, session),
                _ => throw new System.Diagnostics.UnreachableException($"Kind {kind} is no up message."),
            };
        }
        catch (Exception exception) when (exception is IOException or ArgumentException or FormatException or OverflowException)
        {
            // What the parsers throw for bytes that are not a message; their words quote the payload, so they stay here.
            var problem = form == PayloadForm.Json ? "not protobuf JSON." : "not protobuf.";
            return new UpMessage(form, default, DeviceMessageErrors.PayloadInvalid(problem));
        }
    }

    private static T Parse<T>(MessageParser<T> parser, PayloadForm form, in ReadOnlySequence<byte> payload)
        where T : IMessage<T>, new() =>
        form == PayloadForm.Json ? Json.Parse<T>(StrictUtf8.GetString(payload)) : parser.ParseFrom(payload);

    private static MessageStamp ReadStamp(Wire.Stamp? stamp, ref FieldChecks checks)
    {
        if (stamp is null)
        {
            checks.Require(condition: false, "stamp is missing");
            return default;
        }

        checks.Text(stamp.BootId, "stamp.boot_id", 1, BootIdLengthMax);
        checks.Require(stamp.Sequence >= 1, "stamp.sequence starts at 1");
        return new MessageStamp(stamp.BootId, stamp.Sequence);
    }

    private static UpMessage ReadHello(Wire.Hello hello, PayloadForm form, DeviceIdentity identity, SessionRef session)
    {
        var checks = default(FieldChecks);
        var stamp = ReadStamp(hello.Stamp, ref checks);
        checks.Text(hello.Serial, "serial", 1, DeviceId.LengthMax);
        checks.Text(hello.Model, "model", 1, NameLengthMax);
        checks.Text(hello.OsVersion, "os_version", 1, VersionLengthMax);
        checks.Require(
            hello.ImageDigest.Length == 0 || FieldChecks.IsLowerHex(hello.ImageDigest, 64), "image_digest is not 64 lower-case hex digits");
        checks.Require(hello.Generation >= 0, "generation is negative");
        if (checks.ToError() is { } error)
        {
            return new UpMessage(form, stamp, error);
        }

        var os = new ReportedOs(hello.OsVersion, hello.ImageDigest, stamp.BootId, hello.SecureBoot, hello.FactoryDefault)
        {
            CustomFirmwareCertificate = hello.CustomFirmwareCertificate,
        };
        return new UpMessage(form, stamp, null)
        {
            Hello = new ReportHello(new UpEnvelope(identity, session, stamp), hello.Serial, hello.Model, os, hello.Generation),
        };
    }

    private static UpMessage ReadStatus(Wire.Status status, PayloadForm form, DeviceIdentity identity, SessionRef session)
    {
        var checks = default(FieldChecks);
        var stamp = ReadStamp(status.Stamp, ref checks);
        checks.Require(status.UptimeSeconds >= 0, "uptime_seconds is negative");
        checks.Require(
            !status.HasTemperatureCelsius || status.TemperatureCelsius is >= -273.15 and <= 1000, "temperature_celsius is out of range");
        checks.Text(status.Note, "note", 0, ReasonLengthMax);
        if (checks.ToError() is { } error)
        {
            return new UpMessage(form, stamp, error);
        }

        var health = new DeviceHealth(status.UptimeSeconds, status.HasTemperatureCelsius ? status.TemperatureCelsius : null, status.Note);
        return new UpMessage(form, stamp, null) { Status = new ReportStatus(new UpEnvelope(identity, session, stamp), health) };
    }

    private static UpMessage ReadReport(Wire.Report report, PayloadForm form, DeviceIdentity identity, SessionRef session)
    {
        var checks = default(FieldChecks);
        var stamp = ReadStamp(report.Stamp, ref checks);
        checks.Require(report.Generation >= 1, "generation starts at 1");
        checks.Require(TryReadStep(report.Step, out var step, out var outcome), "step is missing or unknown");
        checks.Text(report.Reason, "reason", 0, ReasonLengthMax);
        return checks.ToError() is { } error
            ? new UpMessage(form, stamp, error)
            : new UpMessage(form, stamp, null)
            {
                Progress = new ReportProgress(new UpEnvelope(identity, session, stamp), report.Generation, step, outcome, report.Reason),
            };
    }

    private static bool TryReadStep(Wire.Step wire, out ChangeStep step, out ChangeOutcome outcome)
    {
        (step, outcome) = wire switch
        {
            Wire.Step.Delivered => (ChangeStep.Delivered, ChangeOutcome.Unspecified),
            Wire.Step.Downloading => (ChangeStep.Downloading, ChangeOutcome.Unspecified),
            Wire.Step.Verifying => (ChangeStep.Verifying, ChangeOutcome.Unspecified),
            Wire.Step.Installing => (ChangeStep.Installing, ChangeOutcome.Unspecified),
            Wire.Step.Rebooting => (ChangeStep.Rebooting, ChangeOutcome.Unspecified),
            Wire.Step.Failed => (ChangeStep.Unspecified, ChangeOutcome.Failed),
            Wire.Step.Rejected => (ChangeStep.Unspecified, ChangeOutcome.Rejected),
            _ => (ChangeStep.Unspecified, ChangeOutcome.Unspecified),
        };
        return step != ChangeStep.Unspecified || outcome != ChangeOutcome.Unspecified;
    }

    private static UpMessage ReadInventory(Wire.Inventory inventory, PayloadForm form, DeviceIdentity identity, SessionRef session)
    {
        var checks = default(FieldChecks);
        var stamp = ReadStamp(inventory.Stamp, ref checks);
        checks.Require(inventory.Settings.Count <= SettingsMax, $"settings has more than {SettingsMax} entries");
        checks.Require(inventory.Generation >= 0, "generation is negative");
        var settings = ImmutableArray.CreateBuilder<DeviceSetting>(Math.Min(inventory.Settings.Count, SettingsMax));
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var setting in inventory.Settings.Take(SettingsMax))
        {
            checks.Text(setting.Name, "settings.name", 1, SettingNameLengthMax);
            checks.Text(setting.Value, "settings.value", 0, SettingValueLengthMax);
            checks.Require(names.Add(setting.Name), "settings.name occurs twice");
            settings.Add(new DeviceSetting(setting.Name, setting.Value));
        }

        return checks.ToError() is { } error
            ? new UpMessage(form, stamp, error)
            : new UpMessage(form, stamp, null)
            {
                Inventory = new ReportInventory(new UpEnvelope(identity, session, stamp), settings.ToImmutable())
                {
                    Generation = inventory.Generation,
                },
            };
    }

    private static UpMessage ReadResult(Wire.Result result, PayloadForm form, DeviceIdentity identity, SessionRef session)
    {
        var checks = default(FieldChecks);
        var stamp = ReadStamp(result.Stamp, ref checks);
        checks.Require(FieldChecks.IsLowerHex(result.Nonce, 32), "nonce is not 32 lower-case hex digits");
        checks.Text(result.Reason, "reason", 0, ReasonLengthMax);
        checks.Require(result.Proof.Length <= ProofBytesMax, $"proof has more than {ProofBytesMax} bytes");
        return checks.ToError() is { } error
            ? new UpMessage(form, stamp, error)
            : new UpMessage(form, stamp, null)
            {
                Result = new ReportResult(
                    new UpEnvelope(identity, session, stamp), result.Nonce, result.Succeeded, result.Reason, [.. result.Proof.Span]),
            };
    }
}
