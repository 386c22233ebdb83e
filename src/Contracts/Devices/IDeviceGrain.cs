using Muster.Domain;
using Muster.Domain.Devices;
using Orleans.CodeGeneration;
using Orleans.Concurrency;

namespace Muster.Contracts.Devices;

/// <summary>
/// One device: its lifecycle state, desired and reported state, compliance and change in progress. Key: <c>tenant/device</c>.
/// </summary>
[GrainInterfaceType("muster.device"), Alias("muster.IDeviceGrain"), Version(1)]
public interface IDeviceGrain : IGrainWithStringKey
{
    /// <summary>Puts the device on the delivery list. The same request id again gives the same answer.</summary>
    [Alias("Expect"), ResponseTimeout(CallTimeouts.Commit)]
    Task<DeviceReply> ExpectAsync(ExpectDevice command);

    /// <summary>The committed device, or a refusal when there is none.</summary>
    [Alias("Get"), ResponseTimeout(CallTimeouts.Commit)]
    Task<DeviceReply> GetAsync();

    /// <summary>
    /// May this identity open a connection? Asked after the TLS handshake and before CONNACK or the first HTTP answer. A
    /// receiving session gets an epoch above all before it; the session before it is told to close.
    /// </summary>
    [Alias("Admit"), ResponseTimeout(CallTimeouts.Commit)]
    Task<AdmitReply> AdmitAsync(AdmitSession command);

    /// <summary>The receiving session ended; ignored when a newer epoch was admitted since.</summary>
    [Alias("Disconnect"), ResponseTimeout(CallTimeouts.Commit)]
    Task DisconnectAsync(SessionRef session);

    /// <summary>A hello: enrols, confirms a boot, is evaluated against policy. Returns after its commit.</summary>
    [Alias("Hello"), ResponseTimeout(CallTimeouts.Commit)]
    Task<UpReply> HelloAsync(ReportHello command);

    /// <summary>A status: tombstone and duplicate check, kept in memory only.</summary>
    [Alias("Status"), ResponseTimeout(CallTimeouts.Commit)]
    ValueTask<UpReply> StatusAsync(ReportStatus command);

    /// <summary>
    /// An event in the maker's own words: tombstone check; what changes an alarm is committed, or held for a few minutes when the device
    /// changes its alarms too often.
    /// </summary>
    [Alias("NativeEvent"), ResponseTimeout(CallTimeouts.Commit)]
    Task<UpReply> NativeEventAsync(ReportNativeEvent command);

    /// <summary>Progress or outcome of a generation. Returns after its commit.</summary>
    [Alias("Report"), ResponseTimeout(CallTimeouts.Commit)]
    Task<UpReply> ReportAsync(ReportProgress command);

    /// <summary>Settings and applications; evaluated against policy. Returns after its commit.</summary>
    [Alias("Inventory"), ResponseTimeout(CallTimeouts.Commit)]
    Task<UpReply> InventoryAsync(ReportInventory command);

    /// <summary>The answer to a one-shot command, with evidence. Returns after its commit.</summary>
    [Alias("Result"), ResponseTimeout(CallTimeouts.Commit)]
    Task<UpReply> ResultAsync(ReportResult command);

    /// <summary>An operator approves an enrolment that waits (<see cref="EnrollmentApproval.Manual"/>).</summary>
    [Alias("ApproveEnrollment"), ResponseTimeout(CallTimeouts.Commit)]
    Task<DeviceReply> ApproveEnrollmentAsync(ApproveEnrollment command);

    /// <summary>An operator denies an enrolment that waits: the device is expected as before.</summary>
    [Alias("DenyEnrollment"), ResponseTimeout(CallTimeouts.Commit)]
    Task<DeviceReply> DenyEnrollmentAsync(DenyEnrollment command);

    /// <summary>An operator takes back what he expected, while the device has proved nothing.</summary>
    [Alias("Withdraw"), ResponseTimeout(CallTimeouts.Commit)]
    Task<DeviceReply> WithdrawAsync(WithdrawDevice command);

    /// <summary>Edits site and labels. <see cref="DeviceReply.IsUnchanged"/> says that there was nothing to do.</summary>
    [Alias("Edit"), ResponseTimeout(CallTimeouts.Commit)]
    Task<DeviceReply> EditAsync(EditDevice command);

    /// <summary>Sets the device apart.</summary>
    [Alias("Quarantine"), ResponseTimeout(CallTimeouts.Commit)]
    Task<DeviceReply> QuarantineAsync(QuarantineDevice command);

    /// <summary>Takes the device back into service.</summary>
    [Alias("Release"), ResponseTimeout(CallTimeouts.Commit)]
    Task<DeviceReply> ReleaseAsync(ReleaseDevice command);

    /// <summary>
    /// Offers a change, fenced by (rollout, epoch): commits the desired generation or says why not. The same rollout again is
    /// answered with what became of it.
    /// </summary>
    [Alias("Offer"), ResponseTimeout(CallTimeouts.Commit)]
    Task<OfferReply> OfferAsync(OfferChange command);

    /// <summary>What would become of the offer now, by the same rules; commits nothing. Null for a device that there is not.</summary>
    [Alias("PreviewOffer"), ResponseTimeout(CallTimeouts.Commit)]
    Task<OfferPreview?> PreviewOfferAsync(OfferChange command);

    /// <summary>
    /// The change's time is over: closes it as timed out if it is still in progress past the given limits. If not, and its rollout is
    /// cancelled, it is taken back or the device asked to give it up.
    /// </summary>
    [Alias("ExpireChange"), ResponseTimeout(CallTimeouts.Commit)]
    Task<OfferReply> ExpireChangeAsync(ExpireChange command);

    /// <summary>
    /// A rollout waits for the device, which is busy with another: when it is free, it is kept for the first of them for a while. Should
    /// this be lost, the next to ask has the device.
    /// </summary>
    [Alias("AwaitTurn"), OneWay]
    Task AwaitTurnAsync(AwaitTurn command);

    /// <summary>
    /// A message that the gateway was sent found no connection, and waits for none. Should this be lost, the message counts as handed
    /// over.
    /// </summary>
    [Alias("ReturnDelivery"), OneWay]
    Task ReturnDeliveryAsync(ReturnDelivery command);

    /// <summary>Takes an offer back that was not delivered yet; one that was goes on.</summary>
    [Alias("WithdrawChange"), ResponseTimeout(CallTimeouts.Commit)]
    Task<OfferReply> WithdrawChangeAsync(WithdrawChange command);

    /// <summary>Evaluates the device against the tenant's policies as they are now (a policy changed).</summary>
    [Alias("EvaluatePolicies"), ResponseTimeout(CallTimeouts.Commit)]
    Task EvaluatePoliciesAsync(EvaluatePolicies command);

    /// <summary>
    /// Is a device with this identity allowed to fetch this digest now? Only the digest that its desired state names; asked
    /// on every request.
    /// </summary>
    [Alias("AuthorizeDownload"), ReadOnly, ResponseTimeout(CallTimeouts.Commit)]
    Task<FleetError?> AuthorizeDownloadAsync(AuthorizeDownload command);

    /// <summary>As <see cref="AuthorizeDownloadAsync"/>, with what the edge has to know of the device to pace it.</summary>
    [Alias("ClearDownload"), ReadOnly, ResponseTimeout(CallTimeouts.Commit)]
    Task<DownloadClearance> ClearDownloadAsync(AuthorizeDownload command);

    /// <summary>
    /// Begins the end: state Decommissioning with a factory-default command, closing any change. By the decommission grain only.
    /// The same nonce again changes nothing; another nonce replaces a command that was not answered (it expired). A tombstone
    /// answers with itself, without an error.
    /// </summary>
    [Alias("BeginDecommission"), ResponseTimeout(CallTimeouts.Commit)]
    Task<DeviceReply> BeginDecommissionAsync(BeginDecommission command);
}
