using System.Text;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Muster.Contracts.Gateways;
using Muster.Domain.Devices;
using Muster.Gateway.Mqtt;
using Muster.Protocol;
using Wire = Muster.Protocol.Device.V1;

namespace Muster.Gateway.Devices;

/// <summary>What a device is told, as bytes: contract to proto, in the form that the device itself used last.</summary>
internal static class DownMessageWriter
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

    public static byte[] Write(DownMessage message, PayloadForm form)
    {
        IMessage wire = message switch
        {
            DesiredMessage desired => ToWire(desired.Desired),
            CommandMessage command => ToWire(command.Command),
            AckMessage ack => new Wire.Ack { Kind = UpTopic.NameOf(ack.Kind), Stamp = ToWire(ack.Stamp) },
            RejectionMessage rejection => ToWire(rejection),
            _ => throw new System.Diagnostics.UnreachableException($"No message for {message.GetType().Name}."),
        };
        return form == PayloadForm.Json ? Encoding.UTF8.GetBytes(Json.Format(wire)) : wire.ToByteArray();
    }

    private static Wire.Desired ToWire(DesiredState desired)
    {
        var wire = new Wire.Desired { Generation = desired.Generation };
        if (desired.Os is { } os)
        {
            wire.Os = new Wire.OsTarget
            {
                Digest = os.Digest,
                Version = os.Version,
                SizeBytes = os.SizeBytes,
                Signature = ByteString.CopyFrom(os.Signature.AsSpan()),
                Path = $"/v1/images/{os.Digest}",
            };
        }

        return wire;
    }

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
