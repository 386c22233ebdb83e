using System.Collections.Concurrent;
using Muster.Contracts.Devices;
using Muster.Contracts.Gateways;
using Muster.Contracts.Revocations;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Domain.Identity;

namespace Muster.Gateway.Tests.Edge;

/// <summary>A device's grain as the edge sees it: takes everything, acknowledges through the observer, answers as a test says.</summary>
internal sealed class FakeDevice(DeviceId id) : IDeviceGrain, IDeviceCertificatesGrain, IDeviceAccessGrain, IDeviceTrustGrain
{
    private long _epoch;

    public ConcurrentQueue<object> Received { get; } = new();

    /// <summary>Messages that found no connection.</summary>
    public ConcurrentQueue<ReturnDelivery> Returned { get; } = new();

    /// <summary>What gateways suspect of it.</summary>
    public ConcurrentQueue<SuspectClone> Suspected { get; } = new();

    public ConcurrentQueue<AdmitSession> Admitted { get; } = new();

    public ConcurrentQueue<SessionRef> Disconnected { get; } = new();

    public AdmitSession? Receiver { get; private set; }

    public long Epoch => Volatile.Read(ref _epoch);

    public bool IsKnown { get; set; } = true;

    /// <summary>The refusal of every connection.</summary>
    public FleetError? AdmitError { get; set; }

    /// <summary>Until when it is admitted.</summary>
    public DateTimeOffset? AcceptedUntil { get; set; }

    /// <summary>What happens to an up message: null is committed, an error is refused, an exception is a fault.</summary>
    public Func<object, Task<FleetError?>> Answer { get; set; } = _ => Task.FromResult<FleetError?>(null);

    /// <summary>Sent within admission, before the gateway has the answer.</summary>
    public DownMessage? AtAdmission { get; set; }

    /// <summary>Of how many times it was sent then; 0 when nobody wants it back.</summary>
    public int SentAtAdmission { get; set; }

    public Func<AuthorizeDownload, FleetError?> Authorize { get; set; } = _ => null;

    /// <summary>Where it is.</summary>
    public string Site { get; set; } = "";

    /// <summary>What the record says of a connection that is open.</summary>
    public Func<DeviceIdentity, AccessReply> Access { get; set; } = _ => new AccessReply(null, null);

    public Task<AccessReply> CheckAsync(DeviceIdentity identity) => Task.FromResult(Access(identity));

    /// <summary>What becomes of a request for a certificate.</summary>
    public Func<IssueCertificate, CertificateReply> Issue { get; set; } = _ => throw new NotSupportedException();

    public Task<CertificateReply> IssueAsync(IssueCertificate command) => Task.FromResult(Issue(command));

    public async Task<AdmitReply> AdmitAsync(AdmitSession command)
    {
        Admitted.Enqueue(command);
        if (AdmitError is { } error)
        {
            return new AdmitReply(0, false, error);
        }

        if (!command.Receives)
        {
            return new AdmitReply(0, IsKnown, null) { AcceptedUntil = AcceptedUntil };
        }

        if (command.Joins && Receiver is not null && Disconnected.All(session => session.Epoch < Epoch))
        {
            return new AdmitReply(Epoch, IsKnown, null);
        }

        var epoch = Interlocked.Increment(ref _epoch);
        Receiver = command;
        if (AtAdmission is { } message)
        {
            await command.Gateway!.DeliverAsync(new DownDelivery(TenantId.Default, id, epoch, message)
            {
                Sent = SentAtAdmission,
            });
        }

        return new AdmitReply(epoch, IsKnown, null) { AcceptedUntil = AcceptedUntil };
    }

    /// <summary>What the answer to a goodbye waits for.</summary>
    public TaskCompletionSource? Goodbye { get; set; }

    public Task DisconnectAsync(SessionRef session)
    {
        Disconnected.Enqueue(session);
        return Goodbye?.Task ?? Task.CompletedTask;
    }

    public Task<UpReply> HelloAsync(ReportHello command) => TakeAsync(UpKind.Hello, command.Envelope, command);

    public ValueTask<UpReply> StatusAsync(ReportStatus command) => new(TakeAsync(UpKind.Status, command.Envelope, command));

    public async Task<UpReply> NativeEventAsync(ReportNativeEvent command)
    {
        var error = await Answer(command);
        if (error is null)
        {
            Received.Enqueue(command);
        }

        return new UpReply(error);
    }

    public Task<UpReply> ReportAsync(ReportProgress command) => TakeAsync(UpKind.Report, command.Envelope, command);

    public Task<UpReply> InventoryAsync(ReportInventory command) => TakeAsync(UpKind.Inventory, command.Envelope, command);

    public Task<UpReply> ResultAsync(ReportResult command) => TakeAsync(UpKind.Result, command.Envelope, command);

    public Task<FleetError?> AuthorizeDownloadAsync(AuthorizeDownload command) => Task.FromResult(Authorize(command));

    public Task<DownloadClearance> ClearDownloadAsync(AuthorizeDownload command) =>
        Task.FromResult(new DownloadClearance(Authorize(command), Site));

    /// <summary>Sends a message to the receiving session, as the grain does.</summary>
    public Task SendAsync(DownMessage message) =>
        Receiver!.Gateway!.DeliverAsync(new DownDelivery(TenantId.Default, id, Epoch, message));

    public Task CloseAsync(long epochMax, bool all, FleetError reason) =>
        Receiver!.Gateway!.CloseAsync(new CloseSession(TenantId.Default, id, epochMax, all, reason));

    public Task SuspectAsync(SuspectClone command)
    {
        Suspected.Enqueue(command);
        return Task.CompletedTask;
    }

    public Task<DeviceReply> ResolveAsync(ResolveSuspicion command) => throw new NotSupportedException();

    public Task<DeviceReply> ExpectAsync(ExpectDevice command) => throw new NotSupportedException();

    public Task<DeviceReply> GetAsync() => throw new NotSupportedException();

    public Task<DeviceReply> ApproveEnrollmentAsync(ApproveEnrollment command) => throw new NotSupportedException();

    public Task<DeviceReply> DenyEnrollmentAsync(DenyEnrollment command) => throw new NotSupportedException();

    public Task<DeviceReply> EditAsync(EditDevice command) => throw new NotSupportedException();

    public Task<DeviceReply> WithdrawAsync(WithdrawDevice command) => throw new NotSupportedException();

    public Task<DeviceReply> QuarantineAsync(QuarantineDevice command) => throw new NotSupportedException();

    public Task<DeviceReply> ReleaseAsync(ReleaseDevice command) => throw new NotSupportedException();

    public Task<OfferReply> OfferAsync(OfferChange command) => throw new NotSupportedException();

    public Task<OfferPreview?> PreviewOfferAsync(OfferChange command) => throw new NotSupportedException();

    public Task<OfferReply> ExpireChangeAsync(ExpireChange command) => throw new NotSupportedException();

    public Task AwaitTurnAsync(AwaitTurn command) => throw new NotSupportedException();

    public Task ReturnDeliveryAsync(ReturnDelivery command)
    {
        Returned.Enqueue(command);
        return Task.CompletedTask;
    }

    public Task<OfferReply> WithdrawChangeAsync(WithdrawChange command) => throw new NotSupportedException();

    public Task EvaluatePoliciesAsync(EvaluatePolicies command) => throw new NotSupportedException();

    public Task<DeviceReply> BeginDecommissionAsync(BeginDecommission command) => throw new NotSupportedException();

    private async Task<UpReply> TakeAsync(UpKind kind, UpEnvelope envelope, object command)
    {
        var error = await Answer(command);
        if (error is null)
        {
            Received.Enqueue(command);
        }

        if (error is null && kind != UpKind.Status && envelope.Session.Epoch > 0)
        {
            return UpReply.AcceptedOwingAck;
        }

        if (kind != UpKind.Status && Receiver is not null)
        {
            await SendAsync(error is null ? new AckMessage(kind, envelope.Stamp) : new RejectionMessage(kind, envelope.Stamp, error));
        }

        return new UpReply(error);
    }
}
