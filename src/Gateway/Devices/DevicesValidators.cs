using System.Collections.Immutable;
using Muster.Domain.Devices;
using Muster.Domain.Images;
using Muster.Gateway.Grpc;
using Muster.Gateway.Warranty;
using Muster.Protocol.V1;

namespace Muster.Gateway.Devices;

/// <summary>What requests of the devices service have to look like.</summary>
internal static class DevicesValidators
{
    /// <summary>What devices can be counted by.</summary>
    public static readonly ImmutableArray<string> Groups = ["state", "compliance", "os_version", "model", "site", "track"];

    private const int TextLengthMax = 100;

    public static void AddTo(RequestValidators validators) => validators
        .Add<GetDeviceRequest>((request, problems) => problems.DeviceName("name", request.Name))
        .Add<ListDevicesRequest>((request, problems) => problems.Page(request.Parent, request.PageSize, request.PageToken))
        .Add<CountDevicesRequest>(CheckCount)
        .Add<CreateDeviceRequest>(CheckCreate)
        .Add<ApproveDeviceRequest>((request, problems) => problems.DeviceName("name", request.Name))
        .Add<QuarantineDeviceRequest>((request, problems) => CheckMove(request.Name, request.Cause, problems))
        .Add<ReleaseDeviceRequest>((request, problems) => CheckMove(request.Name, request.Cause, problems))
        .Add<WatchDevicesRequest>((request, problems) => problems.Parent(request.Parent));

    private static void CheckMove(string name, string cause, Problems problems)
    {
        problems.DeviceName("name", name);
        problems.Length("cause", cause, 1, Problems.CauseLengthMax);
    }

    private static void CheckCount(CountDevicesRequest request, Problems problems)
    {
        problems.Parent(request.Parent);
        problems.Require(
            request.GroupBy.Length == 0 || Groups.Contains(request.GroupBy), "group_by", "empty or one of " + string.Join(", ", Groups));
    }

    private static void CheckCreate(CreateDeviceRequest request, Problems problems)
    {
        problems.Parent(request.Parent);
        problems.RequestId(request.RequestId);
        problems.Require(
            DeviceId.TryParse(request.DeviceId, out _),
            "device_id",
            $"the serial in canonical form: 1 to {DeviceId.LengthMax} of A-Z, 0-9, '.', '_', '-', other bytes percent-encoded");
        if (request.Device is not { } device)
        {
            problems.Add("device", "is required");
            return;
        }

        problems.Length("device.model", device.Model, 1, TextLengthMax);
        problems.Require(
            ImageTrack.TryParse(device.Track, out _), "device.track", "'active' or a long-term-support line such as '12.11'");
        problems.Length("device.site", device.Site, 0, TextLengthMax);
        problems.Require(
            device.OsFloor.Length == 0 || OsVersion.TryParse(device.OsFloor, out _), "device.os_floor", "an OS version, or empty");
        problems.Require(System.Enum.IsDefined(device.Approval), "device.approval", "AUTOMATIC or MANUAL");
        if (device.Warranty is { } warranty)
        {
            WarrantiesValidators.CheckTerm("device.warranty", warranty, problems);
        }
        else
        {
            problems.Add("device.warranty", "is required: every device has one; term_months 0 says that there is no cover");
        }
    }
}
