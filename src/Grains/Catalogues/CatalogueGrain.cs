using Muster.Contracts;
using Muster.Contracts.Catalogues;
using Muster.Contracts.Commit;
using Muster.Domain;
using Muster.Domain.Catalogues;
using Muster.Domain.Images;

namespace Muster.Grains.Catalogues;

/// <summary>
/// A tenant's catalogue: its document is verified here, under the trusted image roots, and read here. The rules are
/// <see cref="CatalogueRules"/>.
/// </summary>
[GrainType(GrainTypes.Catalogue)]
internal sealed class CatalogueGrain : Grain, ICatalogueGrain
{
    private readonly IPersistentState<CatalogueRecord> _record;
    private readonly StateWriter<CatalogueRecord> _writer;
    private readonly IImageVerifier _verifier;
    private readonly TimeProvider _clock;

    public CatalogueGrain(
        [PersistentState("catalogue", StorageNames.Muster)] IPersistentState<CatalogueRecord> record,
        IImageVerifier verifier,
        TimeProvider clock)
    {
        _record = record;
        _writer = new StateWriter<CatalogueRecord>(record, this);
        _verifier = verifier;
        _clock = clock;
    }

    public async Task<CatalogueReply> ImportAsync(ImportCatalogue command)
    {
        ArgumentNullException.ThrowIfNull(command);
        var now = _clock.GetUtcNow();
        var (catalogue, error) = Verify(command, now);
        return catalogue is null
            ? new CatalogueReply(_record.State.State, error)
            : await CommitAsync(CatalogueRules.Import(_record.State.State, catalogue), command.Actor, now);
    }

    public Task<CatalogueReply> GetAsync() => Task.FromResult(new CatalogueReply(_record.State.State, null));

    public Task<CatalogueReply> RequireAsync(RequireCatalogue command)
    {
        ArgumentNullException.ThrowIfNull(command);
        return CommitAsync(CatalogueRules.Require(_record.State.State, command.IsRequired), command.Actor, _clock.GetUtcNow());
    }

    public Task<CatalogueWord> FindAsync(ImageDigest digest) => Task.FromResult(CatalogueRules.WordOf(_record.State.State, digest));

    /// <summary>Half a megabyte is hashed in a millisecond: no reason to leave the grain's thread.</summary>
    private (Catalogue? Catalogue, FleetError? Error) Verify(ImportCatalogue command, DateTimeOffset now)
    {
        if (command.Document.Length is 0 or > Catalogue.DocumentBytesMax)
        {
            return (null, CatalogueErrors.Invalid($"it has 1 to {Catalogue.DocumentBytesMax} bytes"));
        }

        var document = command.Document.ToArray();
        using var content = new MemoryStream(document, writable: false);
        var verdict = _verifier.Verify(content, ImageFormat.Detached, command.Signature.AsMemory(), now);
        return verdict is { Content: { } read, Signer: { } signer, Error: null }
            ? CatalogueDocument.Read(document, read, signer, command.Actor, now)
            : (null, CatalogueErrors.Unverified(verdict.Error ?? ImageErrors.SignatureMissing()));
    }

    private async Task<CatalogueReply> CommitAsync(Decision<CatalogueState> decision, Actor actor, DateTimeOffset now)
    {
        if (!decision.Events.IsEmpty)
        {
            await _writer.CommitAsync(
                _record.State with { State = decision.Next },
                new CommitAttachments { Facts = decision.Events, Actor = actor, At = now });
        }

        return new CatalogueReply(_record.State.State, decision.Error);
    }
}
