using Muster.Contracts.Devices;
using Muster.Domain;
using Muster.Domain.Identity;

namespace Muster.Grains.Devices;

/// <summary>What the device gets from the fleet CA; the rules are <see cref="CertificateRules"/>.</summary>
internal sealed partial class DeviceGrain : IDeviceCertificatesGrain
{
    /// <summary>
    /// Calls of one device in a minute, those included that repeat or are refused: each is a signature to verify and mostly one to make,
    /// and a device that works asks once a month.
    /// </summary>
    public const int IssueCallsMax = 10;

    private long _issueMinute;
    private int _issueCalls;

    public async Task<CertificateReply> IssueAsync(IssueCertificate command)
    {
        ArgumentNullException.ThrowIfNull(command);
        var now = _services.Clock.GetUtcNow();
        if (!TakeIssueCall(now))
        {
            return Refuse(CertificateErrors.IssuanceRateReached(_id, IssueCallsMax));
        }

        if (_services is not { Issuer: { } issuer, Signer: { } signer } || issuer.At(now) is not { } authority)
        {
            return Refuse(CertificateErrors.FleetAuthorityMissing());
        }

        if (MayApply(command.Identity))
        {
            var unknown = await RefuseCertificateAsync();
            Tell(unknown, command.Identity);
            return Refuse(unknown);
        }

        var (order, ground, refused) = Prepare(command, issuer, authority, now);
        if (order is null)
        {
            Tell(refused!, command.Identity);
            return Refuse(refused!);
        }

        // Before the decision: a crash after it leaves a claim of this device's own, and the same request is answered as if it was new.
        if (await ClaimKeyAsync(command, order, issuer) is { } claimed)
        {
            return Refuse(claimed);
        }

        // A module may take its time. Only this device waits: the signature is made on a thread that no grain needs.
        var (signed, unsigned) = await signer.SignAsync(order);
        if (signed is not null && CertificateRules.IsAnother(Current!, order, signed.Certificate))
        {
            if (CertificateRules.CheckRenumbered(Current!, ground, command.Call, now) is { } unfounded)
            {
                return Refuse(unfounded);
            }

            order = CertificateRules.Renumber(order, issuer.NewSerial(authority.Generation), authority, now);
            (signed, unsigned) = await signer.SignAsync(order);
        }

        if (signed is null)
        {
            return Refuse(unsigned!);
        }

        var decision = CertificateRules.Issue(
            Current!, order with { Signature = signed.Signature }, signed.Certificate, ground, now);
        await CommitAsync(decision.Next, decision.Events, Actor.Device(_id.Value), now);
        return new CertificateReply(signed.Der, null);
    }

    private async Task<FleetError?> ClaimKeyAsync(IssueCertificate command, CertificateOrder order, ICertificateIssuer issuer)
    {
        var claimed = await GrainFactory.GetKey(order.Key.ToString()).ClaimAsync(OwnerOf(order.Subject.Profile));

        // A request without a name may be another's that was seen on its way: only who signs in this device's name with that key has it.
        if (claimed is not null && issuer.Read(command.Request.AsSpan(), order.Subject, isNameOptional: false).Request is not null)
        {
            TellOwnerOf(order.Key);
        }

        return claimed;
    }

    private (CertificateOrder? Order, CertificateGround Ground, FleetError? Error) Prepare(
        IssueCertificate command, ICertificateIssuer issuer, IssuingAuthority authority, DateTimeOffset now)
    {
        if (CertificateRules.CheckState(Current, _id, command.Identity, now) is { } unfit)
        {
            return (null, default, unfit);
        }

        var device = Current!;
        var isFirst = command.Call == CertificateCall.Enroll;
        var (request, invalid) = issuer.Read(command.Request.AsSpan(), CertificateRules.SubjectOf(device), isNameOptional: isFirst);
        if (request is null)
        {
            return (null, default, invalid);
        }

        var (ground, refused) = CertificateRules.Judge(device, command.Identity, command.Call, request.Key, authority, now);
        if (refused is not null)
        {
            return (null, default, refused);
        }

        if (CertificateRules.CheckPace(device, ground, request.Key, authority, now) is { } early)
        {
            return (null, default, early);
        }

        var (order, tooMany) = CertificateRules.Order(
            device, request, issuer.NewSerial(authority.Generation), authority, now);

        // Whatever the ground is, a new certificate after a lapse counts; what is given again does not, or one device could use up the
        // pace of its site.
        var isNew = order is not null && device.Certificates.All(known => known.Serial != order.Serial);
        return isNew && CertificateRules.IsLapsed(device, now) && !_services.Renewals.TryTake(_tenant, device.Site)
            ? (null, default, CertificateErrors.RenewalRateReached(device.Site, RenewalPace.MaxOf(device.Site)))
            : (order, ground, tooMany);
    }

    private bool TakeIssueCall(DateTimeOffset now)
    {
        var minute = now.UtcTicks / TimeSpan.TicksPerMinute;
        if (minute != _issueMinute)
        {
            (_issueMinute, _issueCalls) = (minute, 0);
        }

        return ++_issueCalls <= IssueCallsMax;
    }

    private CertificateReply Refuse(FleetError error)
    {
        var actor = Actor.Device(_id.Value);
        LogRefused(_id.Value, error.Reason, actor);
        return new CertificateReply([], error);
    }
}
