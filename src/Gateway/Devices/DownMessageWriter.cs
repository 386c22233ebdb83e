using System.Collections.Immutable;
using System.Text;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Microsoft.Extensions.Options;
using Muster.Contracts.Gateways;
using Muster.Domain.Devices;
using Muster.Domain.Images;
using Muster.Gateway.Images;
using Muster.Gateway.Mqtt;
using Muster.Protocol;
using Wire = Muster.Protocol.Device.V1;

namespace Muster.Gateway.Devices;

/// <summary>
/// What a device is told, as bytes: contract to proto, in the form that the device itself used last. Where it fetches an image, and when,
/// is the edge's to say: a link of its own, and its part of the spread.
/// </summary>
internal sealed class DownMessageWriter(ImageLinks links, IOptions<DownloadOptions> downloads)
{
    private static readonly JsonFormatter Json = new(JsonFormatter.Settings.Default);

    public static string KindOf(DownMessage message) => message switch
    {
        DesiredMessage => Topics.Desired,
        CommandMessage => Topics.Command,
        AckMessage => Topics.Ack,
        RejectionMessage => Topics.Rejection,
        _ => throw new System.Diagnostics.UnreachableException($"No topic for {message.GetType().Name}."),
    };

    public byte[] Write(DownMessage message, DeviceAddress device, PayloadForm form)
    {
        IMessage wire = message switch
        {
            DesiredMessage desired => ToWire(desired.Desired, desired.InstallTimes, device),
            CommandMessage command => ToWire(command.Command),
            AckMessage ack => new Wire.Ack { Kind = UpTopic.NameOf(ack.Kind), Stamp = ToWire(ack.Stamp) },
            RejectionMessage rejection => ToWire(rejection),
            _ => throw new System.Diagnostics.UnreachableException($"No message for {message.GetType().Name}."),
        };
        return form == PayloadForm.Json ? Encoding.UTF8.GetBytes(Json.Format(wire)) : wire.ToByteArray();
    }

    private Wire.Desired ToWire(DesiredState desired, ImmutableArray<InstallInterval>? times, DeviceAddress device)
    {
        var wire = new Wire.Desired { Generation = desired.Generation, InstallTimes = ToWire(times) };
        wire.Settings.AddRange(desired.Settings?.Select(setting => new Wire.Setting { Name = setting.Name, Value = setting.Value }) ?? []);
        if (desired.Os is { } os && ImageDigest.TryParse(os.Digest, out var image))
        {
            var delay = DownloadSpread.DelayOf(device.Device, desired.Generation, downloads.Value.Spread);
            wire.Os = new Wire.OsTarget
            {
                Digest = os.Digest,
                Version = os.Version,
                SizeBytes = os.SizeBytes,
                Signature = ByteString.CopyFrom(os.Signature.AsSpan()),
                Path = links.PathOf(device, image),
                DelaySeconds = (uint)delay.TotalSeconds,
            };
        }

        return wire;
    }

    private static Wire.InstallTimes? ToWire(ImmutableArray<InstallInterval>? times) => times is not { } intervals ? null : new()
    {
        Intervals =
        {
            intervals.Select(interval => new Wire.InstallInterval
            {
                OpensAt = Timestamp.FromDateTimeOffset(interval.OpensAt),
                ClosesAt = Timestamp.FromDateTimeOffset(interval.ClosesAt),
            }),
        },
    };

    private static Wire.Command ToWire(DeviceCommand command) => new()
    {
        Kind = command.Kind == CommandKind.FactoryDefault ? Wire.CommandKind.FactoryDefault : Wire.CommandKind.Unspecified,
        Nonce = command.Nonce,
        ExpiresAt = Timestamp.FromDateTimeOffset(command.ExpiresAt),
    };

    private static Wire.Rejection ToWire(RejectionMessage rejection)
    {
        var wire = new Wire.Rejection
        {
            Kind = UpTopic.NameOf(rejection.Kind),
            Stamp = ToWire(rejection.Stamp),
            Reason = rejection.Error.Reason,
            Message = rejection.Error.Message,
        };
        foreach (var detail in rejection.Error.Metadata)
        {
            wire.Metadata[detail.Key] = detail.Value;
        }

        return wire;
    }

    private static Wire.Stamp? ToWire(MessageStamp stamp) =>
        string.IsNullOrEmpty(stamp.BootId) ? null : new Wire.Stamp { BootId = stamp.BootId, Sequence = stamp.Sequence };
}
