using Google.Protobuf.Collections;
using Muster.Domain.Devices;
using Muster.Domain.Images;
using Muster.Gateway.Grpc;
using Muster.Gateway.Warranty;
using Muster.Protocol.V1;

namespace Muster.Gateway.Devices;

/// <summary>What requests of the devices service have to look like.</summary>
internal static class DevicesValidators
{
    /// <summary>Groups of one answer: more are a list and not a count.</summary>
    public const int GroupsMax = 1000;

    /// <summary>AIP-165: what says that every device is meant.</summary>
    private const string AllDevices = "*";

    private const int TextLengthMax = 100;

    public static void AddTo(RequestValidators validators) => validators
        .Add<GetDeviceRequest>((request, problems) => problems.DeviceName("name", request.Name))
        .Add<ListDevicesRequest>((request, problems) => problems.Page(request.Parent, request.PageSize, request.PageToken))
        .Add<CountDevicesRequest>(CheckCount)
        .Add<CreateDeviceRequest>(CheckCreate)
        .Add<EditDevicesRequest>(CheckEdit)
        .Add<ApproveDeviceRequest>((request, problems) =>
        {
            problems.DeviceName("name", request.Name);
            problems.Require(
                request.CertificateSha256.Length == 0 || FieldChecks.IsLowerHex(request.CertificateSha256, 64),
                "certificate_sha256",
                "64 lower-case hex digits, or empty");
        })
        .Add<DenyDeviceRequest>((request, problems) => CheckMove(request.Name, request.Cause, problems))
        .Add<WithdrawDeviceRequest>((request, problems) => CheckMove(request.Name, request.Cause, problems))
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
        problems.Require(request.Top is >= 0 and <= GroupsMax, "top", $"0 to {GroupsMax}; 0 for all groups");
    }

    /// <summary>The filter of an edit as lists read it.</summary>
    public static string FilterOf(EditDevicesRequest request) => request.Filter == AllDevices ? "" : request.Filter;

    private static void CheckEdit(EditDevicesRequest request, Problems problems)
    {
        problems.Page(request.Parent, request.PageSize, request.PageToken);
        problems.Require(request.Filter.Length > 0, "filter", "is required; * for all devices");
        problems.Require(
            request.HasSite || request.SetLabels.Count > 0 || request.RemoveLabels.Count > 0,
            "site",
            "site, set_labels or remove_labels says what to change");
        problems.Length("site", request.HasSite ? request.Site : "", 0, TextLengthMax);
        CheckLabels("set_labels", request.SetLabels, problems);
        foreach (var name in request.RemoveLabels)
        {
            problems.Require(DeviceEdits.CheckName(name) is null, "remove_labels", "a name " + DeviceEdits.CheckName(name));
        }

        problems.Require(
            request.RemoveLabels.Count <= DeviceEdits.LabelsMax, "remove_labels", $"at most {DeviceEdits.LabelsMax}");
    }

    private static void CheckLabels(string field, MapField<string, string> labels, Problems problems)
    {
        problems.Require(labels.Count <= DeviceEdits.LabelsMax, field, $"at most {DeviceEdits.LabelsMax} labels");
        foreach (var (name, value) in labels)
        {
            problems.Require(DeviceEdits.CheckName(name) is null, field, "a name " + DeviceEdits.CheckName(name));
            problems.Require(DeviceEdits.CheckValue(value) is null, field, "a value " + DeviceEdits.CheckValue(value));
        }
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
        problems.Length("device.order", device.Order, 0, ExpectedDevice.OrderLengthMax);
        problems.Require(
            device.ExpectedCertificateSha256.Length == 0 || FieldChecks.IsLowerHex(device.ExpectedCertificateSha256, 64),
            "device.expected_certificate_sha256",
            "64 lower-case hex digits, or empty");
        CheckLabels("device.labels", device.Labels, problems);
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
