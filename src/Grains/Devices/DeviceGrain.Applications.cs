using Muster.Contracts.Devices;
using Muster.Contracts.Enrollments;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Domain.Enrollments;
using Muster.Domain.Identity;

namespace Muster.Grains.Devices;

/// <summary>A device that nobody expects: it has no record, only a request (<see cref="IEnrollmentGrain"/>).</summary>
internal sealed partial class DeviceGrain
{
    /// <summary>
    /// The operational certificate of a device that is no longer on record is no ground to ask for anything, and neither is a
    /// broker's word.
    /// </summary>
    private bool MayApply(DeviceIdentity identity) => Current is null && _services.Enrollment.UnknownDevicesMayApply
        && identity is { IsOperational: false, IsVouched: false } && identity.Device == _id;

    /// <summary>May it connect to say hello? A denial is in the memory of its grain: no read of the store, no commit.</summary>
    private async Task<AdmitReply> AdmitUnknownAsync(AdmitSession command)
    {
        var refused = await CheckUnknownAsync(command.Identity);
        if (refused is not null)
        {
            LogAdmissionRefused(_id.Value, refused.Reason, command.GatewayId);
            Tell(refused, command.Identity);
            return new AdmitReply(0, false, refused);
        }

        var epoch = command is { Receives: true, Gateway: { } gateway } ? await OpenSessionAsync(gateway, 0) : 0;
        return new AdmitReply(epoch, false, null);
    }

    private async Task<UpReply> ApplyAsync(ReportHello command)
    {
        var (identity, stamp) = (command.Envelope.Identity, command.Envelope.Stamp);
        if (LearnSession(command.Envelope.Session, 0) is { } takenOver)
        {
            return new UpReply(takenOver);
        }

        if (!(DeviceId.TryFromSerial(command.Serial, out var claimed) && claimed == _id))
        {
            return await RefuseAsync(UpKind.Hello, stamp, DeviceErrors.SerialMismatch(_id, command.Serial));
        }

        if (await CheckClaimsAsync(identity) is { } foreign)
        {
            Tell(foreign, identity);
            return await RefuseAsync(UpKind.Hello, stamp, foreign);
        }

        var evidence = new EnrollmentEvidence(identity, command.Model, command.Os, _services.Clock.GetUtcNow());
        return await RefuseAsync(UpKind.Hello, stamp, await GrainFactory.GetEnrollment(_tenant, _id).ApplyAsync(evidence));
    }

    /// <summary>Null when it may say hello.</summary>
    private async Task<FleetError?> CheckUnknownAsync(DeviceIdentity identity) =>
        await GrainFactory.GetEnrollment(_tenant, _id).CheckAsync() ?? await CheckClaimsAsync(identity);

    /// <summary>What EST answers: a request that waits is the 202 of every enrolment that waits.</summary>
    private async Task<FleetError> RefuseCertificateAsync()
    {
        var told = await GrainFactory.GetEnrollment(_tenant, _id).CheckAsync() ?? DeviceErrors.NotExpected(_id);
        return told.Reason == EnrollmentRequestErrors.WaitsReason ? CertificateErrors.EnrollmentWaits(_id) : told;
    }
}
