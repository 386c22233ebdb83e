using Muster.Contracts.Devices;
using Muster.Domain;
using Muster.Domain.Devices;

namespace Muster.BareGateway;

/// <summary>
/// Admits everybody and accepts every message without looking at it, with a store each inventory once it is kept there. What no generator
/// sends is not answered.
/// </summary>
internal sealed class NoDevice(PlainStore? store) : IDeviceGrain
{
    private static readonly Task<UpReply> Accepted = Task.FromResult(UpReply.Accepted);

    private long _epoch;

    public Task<AdmitReply> AdmitAsync(AdmitSession command) =>
        Task.FromResult(new AdmitReply(Interlocked.Increment(ref _epoch), true, null));

    public Task DisconnectAsync(SessionRef session) => Task.CompletedTask;

    public Task<UpReply> HelloAsync(ReportHello command) => Accepted;

    public ValueTask<UpReply> StatusAsync(ReportStatus command) => ValueTask.FromResult(UpReply.Accepted);

    public Task<UpReply> InventoryAsync(ReportInventory command) => store?.KeepAsync() ?? Accepted;

    public Task<UpReply> NativeEventAsync(ReportNativeEvent command) => throw new NotSupportedException();

    public Task<UpReply> ReportAsync(ReportProgress command) => throw Unexpected();

    public Task<UpReply> ResultAsync(ReportResult command) => throw Unexpected();

    public Task<DeviceReply> ExpectAsync(ExpectDevice command) => throw Unexpected();

    public Task<DeviceReply> GetAsync() => throw Unexpected();

    public Task<DeviceReply> ApproveEnrollmentAsync(ApproveEnrollment command) => throw Unexpected();

    public Task<DeviceReply> DenyEnrollmentAsync(DenyEnrollment command) => throw Unexpected();

    public Task<DeviceReply> EditAsync(EditDevice command) => throw Unexpected();

    public Task<DeviceReply> WithdrawAsync(WithdrawDevice command) => throw Unexpected();

    public Task<DeviceReply> QuarantineAsync(QuarantineDevice command) => throw Unexpected();

    public Task<DeviceReply> ReleaseAsync(ReleaseDevice command) => throw Unexpected();

    public Task<OfferReply> OfferAsync(OfferChange command) => throw Unexpected();

    public Task<OfferPreview?> PreviewOfferAsync(OfferChange command) => throw Unexpected();

    public Task<OfferReply> ExpireChangeAsync(ExpireChange command) => throw Unexpected();

    public Task<OfferReply> WithdrawChangeAsync(WithdrawChange command) => throw Unexpected();

    public Task AwaitTurnAsync(AwaitTurn command) => throw Unexpected();

    public Task ReturnDeliveryAsync(ReturnDelivery command) => throw Unexpected();

    public Task EvaluatePoliciesAsync(EvaluatePolicies command) => throw Unexpected();

    public Task<FleetError?> AuthorizeDownloadAsync(AuthorizeDownload command) => throw Unexpected();

    public Task<DownloadClearance> ClearDownloadAsync(AuthorizeDownload command) => throw Unexpected();

    public Task<DeviceReply> BeginDecommissionAsync(BeginDecommission command) => throw Unexpected();

    private static NotSupportedException Unexpected() => new("No device of this bench asks for that.");
}
