using Muster.Contracts;
using Muster.Contracts.Commit;
using Muster.Contracts.EndOfSupport;
using Muster.Domain;
using Muster.Domain.EndOfSupport;

namespace Muster.Grains.EndOfSupport;

/// <summary>A product and its dates: the rules are <see cref="ProductRules"/> and <see cref="SupportEvaluator"/>.</summary>
[GrainType(GrainTypes.Product)]
internal sealed class ProductGrain : Grain, IProductGrain, IDueGrain
{
    private static readonly Actor Clock = Actor.Rule("end-of-support");

    private readonly IPersistentState<ProductRecord> _record;
    private readonly StateWriter<ProductRecord> _writer;
    private readonly TimeProvider _clock;

    public ProductGrain([PersistentState("product", StorageNames.Muster)] IPersistentState<ProductRecord> record, TimeProvider clock)
    {
        _record = record;
        _writer = new StateWriter<ProductRecord>(record, this);
        _clock = clock;
    }

    public Task<ProductReply> CreateAsync(CreateProduct command)
    {
        ArgumentNullException.ThrowIfNull(command);
        var now = _clock.GetUtcNow();
        var name = ProductKey.Parse(this.GetPrimaryKeyString());
        return ApplyAsync(ProductRules.Create(_record.State.Product, name, command.Spec, command.RequestId, now), command.Actor, now);
    }

    public Task<ProductReply> GetAsync() => Task.FromResult(
        _record.State.Product is { } product ? Reply(product, _clock.GetUtcNow()) : NotFound());

    public async Task<ProductReply> UpdateAsync(UpdateProduct command)
    {
        ArgumentNullException.ThrowIfNull(command);
        if (_record.State.Product is not { } product)
        {
            return NotFound();
        }

        var now = _clock.GetUtcNow();
        return await ApplyAsync(ProductRules.Update(product, command.Spec, now)!, command.Actor, now);
    }

    public async Task OnDueAsync(CancellationToken cancellationToken)
    {
        if (_record.State.Product is not { } product)
        {
            return;
        }

        // Told before the commit and repeated until it: opening and closing a campaign are idempotent.
        var now = _clock.GetUtcNow();
        var campaign = ProductRules.CampaignAt(product, now);
        if (campaign != product.OpenCampaign)
        {
            await TellAsync(product, campaign);
        }

        await ApplyAsync(ProductRules.Look(product, campaign, now)!, Clock, now);
    }

    private Task TellAsync(Product product, string campaign)
    {
        var endOfSupport = GrainFactory.GetEndOfSupport(product.Tenant, product.Id);
        return campaign.Length > 0 && SupportEvaluator.EndsAt(product.Spec.Window) is { } endsAt
            ? endOfSupport.OpenAsync(new OpenCampaign(Clock, campaign, endsAt))
            : endOfSupport.CloseAsync(Clock);
    }

    private async Task<ProductReply> ApplyAsync(Decision<Product?> decision, Actor actor, DateTimeOffset now)
    {
        if (!decision.Events.IsEmpty)
        {
            await _writer.CommitAsync(
                _record.State with { Product = decision.Next },
                new CommitAttachments { Facts = decision.Events, Actor = actor, At = now });
        }

        return decision.Error is { } error ? new(null, SupportStatus.Unspecified, error)
            : decision.Next is { } product ? Reply(product, now)
            : NotFound();
    }

    private ProductReply NotFound() =>
        new(null, SupportStatus.Unspecified, ProductErrors.NotFound(ProductKey.Parse(this.GetPrimaryKeyString()).Product.Value));

    private static ProductReply Reply(Product product, DateTimeOffset now) =>
        new(product, SupportEvaluator.StatusAt(product.Spec.Window, now), null);
}
